// The program `promptloss`: one command a file. Exit codes: 0 done, 1 failed, 2 wrong usage.
import { subscribe } from "node:diagnostics_channel";
import { Command, CommanderError, Help, type Option } from "commander";
import type { HubMessage } from "../hub/index.ts";
import type { GgufMessage } from "../models/index.ts";
import { openDoor } from "../terminal/index.ts";
import { version } from "../version.ts";
import { COMMANDS } from "./commands.ts";
import { printError, printUsageError } from "./errors.ts";
import { printNotes } from "./notes.ts";
import { watchedModels } from "./progress.ts";

/** What keeps set-up and the hub from the network, in processes that a command starts too. */
const OFFLINE = { PROMPTLOSS_OFFLINE: "1", HF_HUB_OFFLINE: "1" };

/** With the command that is asked for; the others by name and purpose alone, for help and to suggest one. */
async function program(asked: string | undefined): Promise<Command> {
  const command = new Command("promptloss")
    .description("Fine-tune instruction-following language models with the right weight on the prompt.")
    .version(version)
    .option("--offline", "fetch nothing over the network: neither libtorch nor data sets nor models")
    .on("option:offline", () => Object.assign(process.env, OFFLINE))
    .showSuggestionAfterError();
  for (const [name, { about, operands, load }] of Object.entries(COMMANDS)) {
    const each = new Command(name).description(about);
    command.addCommand(name === asked ? (await load())(each) : each.usage(operands));
  }
  // Errors are thrown rather than ending the process, so that wrong usage gets an exit code of its own.
  for (const one of [command, ...command.commands.flatMap((each) => [each, ...each.commands])])
    one
      .exitOverride()
      .configureOutput({ outputError: printUsageError })
      .configureHelp({ optionDescription: describeOption });
  return command;
}

/** Without "(default: [])", which tells nothing. */
function describeOption(option: Option): string {
  const { defaultValue } = option;
  const isEmpty =
    typeof defaultValue === "object" && defaultValue !== null && Object.keys(defaultValue).length === 0;
  const shown = isEmpty ? Object.assign(Object.create(option), { defaultValue: undefined }) : option;
  return Help.prototype.optionDescription.call(new Help(), shown as Option);
}

/** A GGUF file's copy takes room on the disk: where, and how much. */
function tellCopy({ file, folder, dtype, bytes, notes }: GgufMessage): void {
  const size = `${(bytes / 1e9).toFixed(1)} GB`;
  printNotes([
    `${file}: copied once, blocks as they are and the rest as ${dtype}, ${size}, to ${folder}`,
    ...notes,
  ]);
}

/** `help train` is `train --help`. The name of no command is wrong usage, with --help behind it too. */
function argumentsOf(given: readonly string[]): string[] {
  const [first, second, ...rest] = given;
  const args = first === "help" && second !== undefined ? [second, "--help", ...rest] : [...given];
  const isUnknown =
    args[0] !== undefined &&
    !args[0].startsWith("-") &&
    args[0] !== "help" &&
    !Object.hasOwn(COMMANDS, args[0]);
  return isUnknown ? args.filter((arg) => arg !== "--help" && arg !== "-h") : args;
}

/** Behind a command that has commands of its own, the name of none of them is wrong usage in the same way. */
function knownOf(program: Command, args: readonly string[]): string[] {
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const names = program.commands
    .find((each) => each.name() === args[at])
    ?.commands.map((each) => each.name());
  const next = args[at + 1];
  const isUnknown =
    names !== undefined &&
    names.length > 0 &&
    next !== undefined &&
    !next.startsWith("-") &&
    !["help", ...names].includes(next);
  return isUnknown ? args.filter((arg) => arg !== "--help" && arg !== "-h") : [...args];
}

openDoor();
subscribe("promptloss:gguf", (message) => void tellCopy(message as GgufMessage));
const showDownload = watchedModels();
subscribe("promptloss:hub", (message) => showDownload(message as HubMessage));

// Whoever reads the output may stop early, as head does: that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

try {
  const args = argumentsOf(process.argv.slice(2));
  const whole = await program(args.find((arg) => !arg.startsWith("-")));
  await whole.parseAsync(knownOf(whole, args), { from: "user" });
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    printError(error);
    process.exitCode = 1;
  }
}
