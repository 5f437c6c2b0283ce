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
    "measure a data set: lengths, generation ratio, the prompt loss weight that fits it",
    "[options] <recipe | data...>",
    async () => (await import("./inspect.ts")).inspectCommand,
  ),
  preview: entry(
    "show rows as training sees them, every token with its weight",
    "[options] <recipe | data>",
    async () => (await import("./preview.ts")).previewCommand,
  ),
  invert: entry(
    "make short-completion data: give the output and ask for the prompt",
    "[options] <recipe | data...>",
    async () => (await import("./invert.ts")).invertCommand,
  ),
  train: entry(
    "fine-tune a model as a recipe says; run it again to resume",
    "[options] <recipe>",
    async () => (await import("./train.ts")).trainCommand,
  ),
  loss: entry(
    "measure a model's loss on data, row by row, without training",
    "[options] <model> <recipe | data>",
    async () => (await import("./loss.ts")).lossCommand,
  ),
  generate: entry(
    "complete prompts with a model",
    "[options] <model> [prompts...]",
    async () => (await import("./generate.ts")).generateCommand,
  ),
  chat: entry(
    "chat with a model; each line is a message",
    "[options] <model>",
    async () => (await import("./chat.ts")).chatCommand,
  ),
  merge: entry(
    "merge an adapter into its base model, as a plain Hugging Face folder",
    "[options] <adapter>",
    async () => (await import("./merge.ts")).mergeCommand,
  ),
  export: entry(
    "write a model or an adapter as a GGUF file, for llama.cpp and Ollama",
    "[options] <model>",
    async () => (await import("./export.ts")).exportCommand,
  ),
  push: entry(
    "upload a model or an adapter to the Hugging Face hub, with a card that says how it was trained",
    "[options] <run> <name>",
    async () => (await import("./push.ts")).pushCommand,
  ),
  import: entry(
    "make a Hugging Face folder of a GGUF file",
    "[options] <file>",
    async () => (await import("./import.ts")).importCommand,
  ),
  evaluate: entry(
    "score a model on tasks, as lm-evaluation-harness does",
    "[options] <model>",
    async () => (await import("./evaluate.ts")).evaluateCommand,
  ),
  compare: entry(
    "compare two evaluations, item by item, with intervals and tests",
    "[options] <a> <b>",
    async () => (await import("./compare.ts")).compareCommand,
  ),
  fit: entry(
    "fit a mixed model to a table of scores",
    "[options] <table>",
    async () => (await import("./fit.ts")).fitCommand,
  ),
  study: entry(
    "train and evaluate every cell of a study file, and analyze the results",
    "[options] [command]",
    async () => (await import("./study.ts")).studyCommand,
  ),
  recommend: entry(
    "recommend a prompt loss weight, with how sure that is and what it rests on",
    "[options] [data...]",
    async () => (await import("./recommend.ts")).recommendCommand,
  ),
  tune: entry(
    "search the prompt loss weight and the learning rate in few runs; run it again to resume",
    "[options] <recipe>",
    async () => (await import("./tune.ts")).tuneCommand,
  ),
  serve: entry(
    "serve models and fine-tuning through OpenAI's API",
    "[options] <models...>",
    async () => (await import("./serve.ts")).serveCommand,
  ),
  studio: entry(
    "watch runs and studies of a folder in the browser, and chat with models",
    "[options] [folder] [models...]",
    async () => (await import("./studio.ts")).studioCommand,
  ),
  judge: entry(
    "let a judge model compare outputs with reference outputs",
    "[options] <outputs>",
    async () => (await import("./judge.ts")).judgeCommand,
  ),
  init: entry(
    "look at data and model, and write a recipe with comments",
    "[options]",
    async () => (await import("./init.ts")).initCommand,
  ),
  completion: entry(
    "print a shell script that completes commands and options",
    "[options] <shell>",
    async () => (await import("./completion.ts")).completionCommand,
  ),
  doctor: entry(
    "print what this machine can do, with a remedy for each shortfall",
    "[options]",
    async () => (await import("./doctor.ts")).doctorCommand,
  ),
};
