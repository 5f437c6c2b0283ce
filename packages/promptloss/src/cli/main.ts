// The program `promptloss`: one command a file. Exit codes: 0 done, 1 failed, 2 wrong usage.
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { ink, openDoor } from "../terminal/index.ts";

/** Each command's module, loaded when it is asked for: all of them take a second to load. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  inspect: async () => (await import("./inspect.ts")).inspectCommand(),
  preview: async () => (await import("./preview.ts")).previewCommand(),
  invert: async () => (await import("./invert.ts")).invertCommand(),
  train: async () => (await import("./train.ts")).trainCommand(),
  loss: async () => (await import("./loss.ts")).lossCommand(),
  generate: async () => (await import("./generate.ts")).generateCommand(),
  chat: async () => (await import("./chat.ts")).chatCommand(),
  evaluate: async () => (await import("./evaluate.ts")).evaluateCommand(),
  compare: async () => (await import("./compare.ts")).compareCommand(),
  fit: async () => (await import("./fit.ts")).fitCommand(),
  study: async () => (await import("./study.ts")).studyCommand(),
  recommend: async () => (await import("./recommend.ts")).recommendCommand(),
  serve: async () => (await import("./serve.ts")).serveCommand(),
  judge: async () => (await import("./judge.ts")).judgeCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
};

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/** With the command that is asked for, or with all where it is none of them: for help, and to suggest a name. */
async function program(asked: string | undefined): Promise<Command> {
  const command = new Command("promptloss")
    .description("Fine-tune instruction-following language models with the right weight on the prompt.")
    .version(version)
    .showSuggestionAfterError();
  const names = Object.keys(COMMANDS);
  const wanted = names.includes(asked ?? "") ? [asked!] : /^(-V|--version)$/.test(asked ?? "") ? [] : names;
  for (const name of wanted) command.addCommand(await COMMANDS[name]!());
  // Errors are thrown rather than ending the process, so that wrong usage gets an exit code of its own.
  for (const one of [command, ...command.commands]) one.exitOverride();
  return command;
}

/** Prints an error as a user should see it: its message and hint, and the stack only of what is a bug. */
function print(error: unknown): void {
  const { message, hint } = error as { message?: string; hint?: string };
  const known = error instanceof Error && "hint" in error;
  process.stderr.write(
    `${ink.red("error:")} ${known ? message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  if (hint !== undefined) process.stderr.write(`${ink.dim("hint:")} ${hint}\n`);
}

openDoor();

// Whoever reads the output may stop early, as head does: that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

try {
  await (await program(process.argv[2])).parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    print(error);
    process.exitCode = 1;
  }
}
