import { Command } from "commander";
import { collect } from "../options.ts";

type Action = typeof import("./actions/report.ts").runReport;

export function reportCommand(): Command {
  return new Command("report")
    .description("write charts, models and method of what is done so far as one HTML file")
    .argument("<study>", "a study file (.yaml), or a study's output folder")
    .option(
      "--set <key=value>",
      "a recipe key for all cells, as given to study run; again for more",
      collect,
      [],
    )
    .option("-o, --output <file>", "the HTML file; report.html in the study's folder where left out")
    .option("--json", "print where it is and what was found as JSON")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/report.ts")).runReport(...given),
    );
}
