// `promptloss study results`: the tidy table of what is done so far, what may be said of it, and its models.
import { Command } from "commander";
import { withStudyOptions } from "./study-file.ts";

type Action = typeof import("./actions/results.ts").runResults;

export function resultsCommand(): Command {
  return withStudyOptions(
    new Command("results").description("write the table of what is done so far, and print its models"),
  )
    .option("--json", "print the models as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/results.ts")).runResults(...given),
    );
}
