// The program `promptloss`: one command a file. Exit codes: 0 done, 1 failed, 2 wrong usage.
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import pc from "picocolors";
import { chatCommand } from "./chat.ts";
import { compareCommand } from "./compare.ts";
import { doctorCommand } from "./doctor.ts";
import { evaluateCommand } from "./evaluate.ts";
import { fitCommand } from "./fit.ts";
import { generateCommand } from "./generate.ts";
import { inspectCommand } from "./inspect.ts";
import { invertCommand } from "./invert.ts";
import { judgeCommand } from "./judge.ts";
import { lossCommand } from "./loss.ts";
import { previewCommand } from "./preview.ts";
import { recommendCommand } from "./recommend.ts";
import { serveCommand } from "./serve.ts";
import { studyCommand } from "./study.ts";
import { trainCommand } from "./train.ts";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

function program(): Command {
  const command = new Command("promptloss")
    .description("Fine-tune instruction-following language models with the right weight on the prompt.")
    .version(version)
    .showSuggestionAfterError();
  const commands = [
    inspectCommand,
    previewCommand,
    invertCommand,
    trainCommand,
    lossCommand,
    generateCommand,
    chatCommand,
    evaluateCommand,
    compareCommand,
    fitCommand,
    studyCommand,
    recommendCommand,
    serveCommand,
    judgeCommand,
    doctorCommand,
  ];
  for (const make of commands) command.addCommand(make());
  // Errors are thrown rather than ending the process, so that wrong usage gets an exit code of its own.
  for (const one of [command, ...command.commands]) one.exitOverride();
  return command;
}

/** Prints an error as a user should see it: its message and hint, and the stack only of what is a bug. */
function print(error: unknown): void {
  const { message, hint } = error as { message?: string; hint?: string };
  const known = error instanceof Error && "hint" in error;
  process.stderr.write(
    `${pc.red("error:")} ${known ? message : error instanceof Error ? error.stack : String(error)}\n`,
  );
  if (hint !== undefined) process.stderr.write(`${pc.dim("hint:")} ${hint}\n`);
}

try {
  await program().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    print(error);
    process.exitCode = 1;
  }
}
