// `promptloss init`: asks for data, model and output, or takes them as options, looks at the data, and writes a recipe
// with comments that trains as it stands.
import { existsSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { createInterface } from "node:readline/promises";
import { counted } from "../../counted.ts";
import { readExamples } from "../../data/rows/index.ts";
import { createTemplate } from "../../data/templates/index.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { dataInputs } from "../../data-plan/index.ts";
import { PromptlossError } from "../../errors.ts";
import { replaceFile } from "../../files/atomic.ts";
import { checkOutputFile, protectInputs } from "../../files/output.ts";
import { inspectExamples } from "../../inspect/index.ts";
import { contextLength } from "../../models/config/context-length.ts";
import { elementsOf, parameterShapes } from "../../models/config/parameters.ts";
import { readModelConfig } from "../../models/config/read-config.ts";
import { modelFolder } from "../../models/gguf/model-folder.ts";
import { readRecipe } from "../../recipe/index.ts";
import { suggestedSettings } from "../../recipe/suggestions.ts";
import { harmlessJson, ink, lineOutput } from "../../terminal/index.ts";
import { printNotes } from "../notes.ts";
import { watchedHub } from "../progress.ts";
import { count, short } from "../train/format.ts";

interface Flags {
  data?: string;
  model?: string;
  output?: string;
  aim?: string;
  strict?: true;
  force?: true;
  json?: true;
}

interface Answers {
  readonly data: string;
  readonly model: string;
  readonly aim: string;
  /** Where the recipe goes. */
  readonly output: string;
}

async function answersOf(flags: Flags): Promise<Omit<Answers, "output">> {
  const asks = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const reader = asks
    ? createInterface({ input: process.stdin, output: lineOutput(), terminal: true })
    : undefined;
  const ask = async (flag: string | undefined, option: string, question: string): Promise<string> => {
    const answer = flag ?? (await reader?.question(`${question} `))?.trim();
    if (answer === undefined || answer === "")
      throw new PromptlossError(`init needs ${option}`, {
        hint: "on a terminal it asks; elsewhere give --data and --model",
      });
    return answer;
  };
  try {
    return {
      data: await ask(flags.data, "--data", "Data (a file, pattern, folder or hub id):"),
      model: await ask(flags.model, "--model", "Model (a folder):"),
      aim: flags.aim ?? (await reader?.question("What is the model for? ")) ?? "",
    };
  } finally {
    reader?.close();
  }
}

interface Facts {
  readonly rows: number;
  readonly longest: number;
  readonly positions: number;
  readonly parameters: number;
  readonly template: "tokenizer" | "alpaca";
}

/** @throws {DataError}, {ModelError}, {TokenizerError} for what can't be used; {PromptlossError} for data without a row */
async function factsOf(data: string, named: string, strict: boolean): Promise<Facts> {
  const model = modelFolder(named, "tokenizer");
  const { architecture, notes } = readModelConfig(model, { strict });
  printNotes(notes);
  const tokenizer = await loadTokenizer(model);
  const template = tokenizer.chatTemplate === undefined ? "alpaca" : "tokenizer";
  const examples = readExamples([{ path: data }], { onBadRow: "skip", hub: watchedHub() });
  const { rows, trained } = await inspectExamples(examples, {
    tokenizer,
    template: createTemplate(template, tokenizer),
  });
  if (rows === 0 || trained.length === undefined)
    throw new PromptlossError(`${data}: there is no row to train on`, {
      hint: `promptloss inspect ${data} --tokenizer ${named} says more`,
    });
  const parameters = elementsOf(parameterShapes(architecture).values());
  return { rows, longest: trained.length.max, positions: contextLength(architecture), parameters, template };
}

function recipeText({
  data,
  model,
  aim,
  output,
  rows,
  longest,
  positions,
  parameters,
  template,
}: Answers & Facts & { readonly output: string }): string {
  const beside = (path: string): string =>
    existsSync(path) && !isAbsolute(path) ? relative(dirname(resolve(output)), resolve(path)) || "." : path;
  const { epochs, batchSize, learningRate, schedule, warmupRatio, loraRank, heldOut } = suggestedSettings(
    rows,
    parameters,
  );
  const lines = [
    `# ${aim === "" ? "Fine-tuning." : aim.replaceAll(/\s+/g, " ")}`,
    `# promptloss train ${output}`,
    "",
    `model: ${JSON.stringify(beside(model))}  # ${short(parameters)} parameters`,
    `data: ${JSON.stringify(beside(data))}  # ${counted(rows, "row")}`,
    "onBadRow: skip  # rows that can't be used are left out and counted; error stops at the first",
    template === "tokenizer"
      ? "template: tokenizer  # the model's own chat template"
      : "template: alpaca  # the tokenizer has no chat template",
    "",
    "loss:",
    "  promptLossWeight: auto  # predicted from the data; a number from 0 (completions alone) to 1 (all alike) sets it",
    ...(longest > positions
      ? [
          "",
          `overflow: drop  # the longest row has ${counted(longest, "token")}, the model has ${count(positions)} positions`,
        ]
      : []),
    "",
    "training:",
    `  epochs: ${epochs}`,
    `  batchSize: ${batchSize}  # rows in a step`,
    `  learningRate: ${learningRate.toExponential()}`,
    `  schedule: ${schedule}`,
    `  warmupRatio: ${warmupRatio}`,
    ...(loraRank === undefined
      ? []
      : ["", `lora: { rank: ${loraRank} }  # trains an adapter: the whole model would need more memory`]),
    ...(heldOut === undefined
      ? []
      : [
          "",
          "evaluation:",
          `  fraction: ${heldOut}  # held out of training, and measured at the end of each epoch`,
        ]),
    "",
    `output: ${JSON.stringify(`runs/${output.replace(/^.*[\\/]/, "").replace(/\.ya?ml$/i, "")}`)}`,
  ];
  return `${lines.join("\n")}\n`;
}

export async function runInit(flags: Flags): Promise<void> {
  const { output = "recipe.yaml" } = flags;
  // Before anything is asked.
  if (existsSync(output) && !flags.force)
    throw new PromptlossError(`${output} is there already`, {
      hint: "name another with -o, or give --force",
    });
  checkOutputFile(output);
  const { data, model, aim } = await answersOf(flags);
  protectInputs(
    [output],
    [...(await dataInputs([{ path: data }])), { what: "the model", path: model, grows: true }],
  );
  const facts = await factsOf(data, model, flags.strict === true);
  replaceFile(output, recipeText({ data, model, aim, output, ...facts }));
  // What was written is checked as training will check it.
  readRecipe(output);
  if (flags.json) {
    process.stdout.write(`${harmlessJson({ output, ...facts }, 2)}\n`);
    return;
  }
  process.stdout.write(`${output}: ${counted(facts.rows, "row")}, ${short(facts.parameters)} parameters\n`);
  process.stdout.write(
    `${ink.dim("next:")} promptloss train ${output} --dry-run, then promptloss train ${output}\n`,
  );
}
