// The commands by name: what each is for, and where it is. The words stand here, and nowhere else, so that help loads none
// of them, which takes seconds for all. A command's module has its options; what the action needs it loads when it runs.
import type { Command } from "commander";

export interface CommandEntry {
  readonly about: string;
  /** As help shows them behind the name. */
  readonly operands: string;
  /** Adds arguments, options and the action to the command, which has its name and purpose already. */
  readonly load: () => Promise<(command: Command) => Command>;
}

function entry(about: string, operands: string, load: CommandEntry["load"]): CommandEntry {
  return {
    about,
    operands,
    load,
  };
}

export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  inspect: entry(
    "measure a data set: lengths, generation ratio, and the prompt loss weight that it asks for",
    "[options] <recipe | data...>",
    async () => (await import("./inspect.ts")).inspectCommand,
  ),
  preview: entry(
    "show rows as training would see them, every token with its weight",
    "[options] <recipe | data>",
    async () => (await import("./preview.ts")).previewCommand,
  ),
  invert: entry(
    "make short-completion data: give the output, ask for the prompt",
    "[options] <recipe | data...>",
    async () => (await import("./invert.ts")).invertCommand,
  ),
  train: entry(
    "fine-tune a model as a recipe says; run it again to go on where it stopped",
    "[options] <recipe>",
    async () => (await import("./train.ts")).trainCommand,
  ),
  loss: entry(
    "measure a model's loss on data, row by row and in all, without training",
    "[options] <model> <recipe | data>",
    async () => (await import("./loss.ts")).lossCommand,
  ),
  generate: entry(
    "let a model complete prompts",
    "[options] <model> [prompts...]",
    async () => (await import("./generate.ts")).generateCommand,
  ),
  chat: entry(
    "talk with a model; messages are lines",
    "[options] <model>",
    async () => (await import("./chat.ts")).chatCommand,
  ),
  merge: entry(
    "merge a LoRA adapter into its base model: a plain Hugging Face folder",
    "[options] <adapter>",
    async () => (await import("./merge.ts")).mergeCommand,
  ),
  evaluate: entry(
    "score a model on tasks, as lm-evaluation-harness does",
    "[options] <model>",
    async () => (await import("./evaluate.ts")).evaluateCommand,
  ),
  compare: entry(
    "compare two evaluations item by item: paired differences, intervals and tests",
    "[options] <a> <b>",
    async () => (await import("./compare.ts")).compareCommand,
  ),
  fit: entry(
    "fit a mixed model to a table of scores: coefficients, tests, criteria, variances, warnings",
    "[options] <table>",
    async () => (await import("./fit.ts")).fitCommand,
  ),
  study: entry(
    "train and evaluate every cell of a study file, and model the results",
    "[options] [command]",
    async () => (await import("./study.ts")).studyCommand,
  ),
  recommend: entry(
    "say which prompt loss weight to use, how sure that is, and on what evidence",
    "[options] [data...]",
    async () => (await import("./recommend.ts")).recommendCommand,
  ),
  tune: entry(
    "search the prompt loss weight and the learning rate in few runs; run it again to go on",
    "[options] <recipe>",
    async () => (await import("./tune.ts")).tuneCommand,
  ),
  serve: entry(
    "serve a model over HTTP as OpenAI's API: completions and chat, streams too",
    "[options] <model>",
    async () => (await import("./serve.ts")).serveCommand,
  ),
  judge: entry(
    "let a judge compare outputs with reference outputs, pair by pair",
    "[options] <outputs>",
    async () => (await import("./judge.ts")).judgeCommand,
  ),
  init: entry(
    "look at data and model, and write a recipe with comments that trains as it stands",
    "[options]",
    async () => (await import("./init.ts")).initCommand,
  ),
  completion: entry(
    "print a script that completes commands and options in a shell",
    "[options] <shell>",
    async () => (await import("./completion.ts")).completionCommand,
  ),
  doctor: entry(
    "print what this machine can do, and what to do about each shortfall",
    "[options]",
    async () => (await import("./doctor.ts")).doctorCommand,
  ),
};
