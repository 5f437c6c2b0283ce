// What the model says to prompts that it was trained on: greedy continuations against the completions of the data.
// A BLEU near 100 is memorization; the paper reads it, and the lengths, against PLW.

import { seededDraw, shuffle } from "../../data/packing/random.ts";
import type { RowSet } from "../../data/row-subset.ts";
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import type { WeightedTokens } from "../../data/tokens/index.ts";
import { corpusBleu } from "../../evaluation/metrics/bleu.ts";
import { generate } from "../../generation/index.ts";
import { IS_COMPLETION } from "../../loss/normalization.ts";
import { contextLength } from "../../models/config/context-length.ts";
import type { CausalLanguageModel } from "../../models/index.ts";

export interface Generations {
  readonly rows: number;
  /** Corpus BLEU against the data's completions, 0 to 100. */
  readonly bleu: number;
  /** New tokens, stop token left out. */
  readonly length: { readonly mean: number; readonly sd: number };
  /** The data's own completions of these rows. */
  readonly referenceLength: { readonly mean: number; readonly sd: number };
  /** The share that ended in a stop token before `maxNewTokens`. */
  readonly stopped: number;
}

/** A training prompt, what the data has behind it, and what a model says. */
export interface GeneratedText {
  readonly prompt: string;
  /** The data's completion, without what ends it. */
  readonly reference: string;
  readonly completion: string;
}

/** A line of generations.jsonl. */
export interface GenerationLine extends Omit<GeneratedText, "completion"> {
  /** Of the model that training began with; left out where `probes.generations.before` does not ask for it. */
  readonly before?: string;
  readonly after: string;
}

export interface GenerationProbe {
  readonly rows: number;
  readonly maxNewTokens: number;
  readonly seed: number;
}

/**
 * Rows drawn by the seed, the same for every model; of a conversation the first completion. Undefined where no prompt leaves
 * room for `maxNewTokens`.
 */
export async function probeGenerations(
  model: CausalLanguageModel,
  tokenizer: Tokenizer,
  rows: RowSet,
  { rows: wanted, maxNewTokens, seed }: GenerationProbe,
): Promise<{ readonly measured: Generations; readonly texts: readonly GeneratedText[] } | undefined> {
  const order = shuffle(
    Int32Array.from({ length: rows.length }, (_, index) => index),
    seededDraw(seed),
  );
  const chosen = Array.from(order.subarray(0, wanted), (index) => firstCompletion(rows.at(index), tokenizer));
  const room = ({ prompt }: Completion): boolean =>
    prompt.length + maxNewTokens <= contextLength(model.architecture);
  const completions = chosen.filter((completion) => completion.prompt.length > 0 && room(completion));
  if (completions.length === 0) return undefined;
  const sequences = await generate(
    model,
    completions.map(({ prompt }) => prompt),
    { maxNewTokens, stopIds: tokenizer.stopIds },
  );
  const found = sequences.map(([first]) => withoutStop(first!.ids, tokenizer));
  const texts = (all: readonly Int32Array[]): Promise<string[]> =>
    Promise.all(all.map((ids) => tokenizer.decode(ids)));
  const [hypotheses, references, prompts] = await Promise.all([
    texts(found),
    texts(completions.map(({ completion }) => completion)),
    texts(completions.map(({ prompt }) => prompt)),
  ]);
  const measured: Generations = {
    rows: completions.length,
    bleu: corpusBleu(
      hypotheses,
      references.map((reference) => [reference]),
    ).score,
    length: spread(found.map(({ length }) => length)),
    referenceLength: spread(completions.map(({ completion }) => completion.length)),
    stopped:
      sequences.filter(([first], i) => first!.ids.length > found[i]!.length).length / completions.length,
  };
  return {
    measured,
    texts: prompts.map((prompt, i) => ({ prompt, reference: references[i]!, completion: hypotheses[i]! })),
  };
}

interface Completion {
  readonly prompt: Int32Array;
  /** Without its stop token. */
  readonly completion: Int32Array;
}

function firstCompletion({ ids, classes }: WeightedTokens, tokenizer: Tokenizer): Completion {
  const isCompletion = (code: number): boolean => IS_COMPLETION[code] === 1;
  const start = classes.findIndex(isCompletion);
  if (start < 0) return { prompt: new Int32Array(), completion: new Int32Array() };
  const length = classes.subarray(start).findIndex((code) => !isCompletion(code));
  const completion = ids.subarray(start, length < 0 ? undefined : start + length);
  return { prompt: ids.slice(0, start), completion: withoutStop(completion, tokenizer) };
}

function withoutStop(ids: ArrayLike<number>, { stopIds }: Tokenizer): Int32Array {
  const all = Int32Array.from(ids);
  const end = all.findIndex((id) => stopIds.has(id));
  return end < 0 ? all : all.slice(0, end);
}

function spread(values: readonly number[]): { mean: number; sd: number } {
  if (values.length === 0) return { mean: 0, sd: 0 };
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)) };
}
