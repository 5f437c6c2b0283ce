// `promptloss doctor`: what this machine can do, and what to do about each shortfall.
import type { Command } from "commander";

type Action = typeof import("./actions/doctor.ts").runDoctor;

export function doctorCommand(command: Command): Command {
  return command
    .option("--json", "print facts and findings as JSON")
    .addHelpText("after", "\nExit code: 0 when everything needed works, 1 otherwise.")
    .action(async (...given: Parameters<Action>) =>
      (await import("./actions/doctor.ts")).runDoctor(...given),
    );
}
