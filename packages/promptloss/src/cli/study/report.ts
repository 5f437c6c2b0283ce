import { Command } from "commander";
import { collect } from "../options.ts";

type Action = typeof import("./actions/report.ts").runReport;

export function reportCommand(): Command {
  return new Command("report")
    .description("write charts, models and method of what is done so far as one HTML file")
    .argument("<study>", "a study file (.yaml), or a study's output folder")
    .option("--set <key=value>", "override a recipe key, as for study run; repeatable", collect, [])
    .option("-o, --output <file>", "the HTML file (default: report.html in the study's folder)")
    .option("--json", "print its path and the findings as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/report.ts")).runReport(...given),
    );
}
