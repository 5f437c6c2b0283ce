import { PromptlossError } from "../../errors.ts";
import type { TextGenerationOptions, TextGenerator, TextPrompt, TextResult } from "../../generation/index.ts";
import { harmlessJson, ink, product } from "../../terminal/index.ts";
import { decodingOptions, inFlagNames, loadGenerator } from "../generation/load-generator.ts";
import type { DecodingFlags, ModelFlags } from "../generation/options.ts";
import { readPrompts } from "../generation/prompts.ts";

interface Flags extends ModelFlags, DecodingFlags {
  file: string[];
  stdin?: true;
  system?: string;
  beams?: number;
  lengthPenalty?: number;
  earlyStopping?: boolean | "never";
  sequences?: number;
  logprobs?: number;
  batchSize?: number;
  specialTokens?: true;
  json?: true;
  stream?: true;
}

function checkFlags({ logprobs, json }: Flags): void {
  if (logprobs !== undefined && !json)
    throw new PromptlossError("--logprobs belongs to --json", { hint: "give --json too" });
}

function optionsOf(flags: Flags): TextGenerationOptions {
  const { beams, lengthPenalty, earlyStopping, sequences, logprobs, batchSize, specialTokens } = flags;
  const given = {
    beams,
    lengthPenalty,
    earlyStopping,
    sequences,
    batchSize,
    logProbabilities: logprobs,
    keepSpecialTokens: specialTokens,
  };
  return {
    ...decodingOptions(flags),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

async function writeStream(
  generator: TextGenerator,
  [prompt]: readonly TextPrompt[],
  options: TextGenerationOptions,
): Promise<void> {
  for await (const { text } of generator.stream(prompt!, options)) process.stdout.write(product(text));
  process.stdout.write("\n");
}

/** One completion as it is; of several each under its prompt. */
function writeTexts(prompts: readonly TextPrompt[], results: readonly TextResult[]): void {
  const single = results.length === 1 && results[0]!.sequences.length === 1;
  results.forEach(({ sequences }, i) => {
    sequences.forEach(({ text }, s) => {
      const number = sequences.length === 1 ? `${i + 1}` : `${i + 1}.${s + 1}`;
      const title = `${ink.bold(number)} ${ink.dim(titleOf(prompts[i]!))}\n`;
      if (single) process.stdout.write(product(`${text}\n`));
      else process.stdout.write(`${title}${text}\n\n`);
    });
  });
}

const TITLE_LENGTH = 80;

function titleOf(prompt: TextPrompt): string {
  const words = (): string => {
    if (typeof prompt === "string") return prompt;
    if ("instruction" in prompt) return prompt.instruction;
    if ("messages" in prompt) return prompt.messages.at(-1)?.content ?? "";
    return "text" in prompt ? prompt.text : "";
  };
  const [line = "", ...more] = words().trim().split("\n");
  const cut = [...line].slice(0, TITLE_LENGTH).join("");
  return cut.length < line.length || more.length > 0 ? `${cut} …` : line;
}

async function writeJson(
  generator: TextGenerator,
  prompts: readonly TextPrompt[],
  options: TextGenerationOptions,
  stream: boolean,
): Promise<void> {
  const write = (line: object): void => void process.stdout.write(`${harmlessJson(line)}\n`);
  const results = await generator.generate(prompts, {
    ...options,
    ...(stream && { onText: (piece) => write({ type: "text", ...piece }) }),
  });
  results.forEach(({ promptIds, sequences }, i) => {
    sequences.forEach(({ text, ids, logProbabilities, ...rest }, sequence) => {
      write({
        ...(stream && { type: "end" }),
        prompt: i,
        sequence,
        text,
        ...rest,
        promptTokens: promptIds.length,
        tokens: ids.length,
        promptIds: [...promptIds],
        ids: [...ids],
        ...(logProbabilities && { logProbabilities }),
      });
    });
  });
}

export async function runGenerate(path: string, given: string[], flags: Flags): Promise<void> {
  checkFlags(flags);
  try {
    const { file: files, stdin = false, system } = flags;
    const prompts = await readPrompts({ given, files, stdin, system });
    const options = optionsOf(flags);
    const single = prompts.length * (options.sequences ?? 1) === 1;
    if (flags.stream && !flags.json && !single)
      throw new PromptlossError("--stream prints one completion, and there are several", {
        hint: "with --json, lines say which completion they belong to",
      });
    using generator = await loadGenerator(path, flags);
    if (flags.json) await writeJson(generator, prompts, options, flags.stream === true);
    else if (single && (flags.stream || process.stdout.isTTY)) await writeStream(generator, prompts, options);
    else writeTexts(prompts, await generator.generate(prompts, options));
  } catch (error) {
    throw inFlagNames(error);
  }
}
