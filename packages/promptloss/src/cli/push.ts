import type { Command } from "commander";

type Action = typeof import("./actions/push.ts").runPush;

export function pushCommand(command: Command): Command {
  return command
    .argument("<run>", "the folder of a training run, of a model or of a PEFT adapter")
    .argument("<name>", "the repository, owner/name; it is made where there is none")
    .option("--private", "make a new repository private")
    .option("--scores <file>", "scores for the card: what evaluate --json printed")
    .option("--dry-run", "send nothing; show the files and the card")
    .option("--json", "print what was sent as JSON")
    .action(async (...given: Parameters<Action>) => (await import("./actions/push.ts")).runPush(...given));
}
