import { Command } from "commander";
import { withStudyOptions } from "./study-file.ts";

type Action = typeof import("./actions/status.ts").runStatus;

export function statusCommand(): Command {
  return withStudyOptions(
    new Command("status").description("say which cells are done, running, waiting or failed"),
  )
    .option("--once", "print it once, on a terminal too")
    .option("--json", "print it once as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/status.ts")).runStatus(...given),
    );
}
