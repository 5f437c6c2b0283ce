import { Command } from "commander";
import { withStudyOptions } from "./study-file.ts";

type Action = typeof import("./actions/status.ts").runStatus;

export function statusCommand(): Command {
  return withStudyOptions(
    new Command("status").description("show which cells are done, running, waiting or failed"),
  )
    .option("--once", "print once, also on a terminal")
    .option("--json", "print once, as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/status.ts")).runStatus(...given),
    );
}
