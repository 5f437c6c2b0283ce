// All that `promptloss inspect` says of a data set, as data: lengths, generation ratio, the prompt's share of the loss,
// duplicates, rows too long, warnings and a recommendation.
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { type Example, TOKEN_CLASSES, type TokenClass } from "../data/example.ts";
import type { Template, TrainedTurns } from "../data/templates/index.ts";
import type { TokenPart } from "../data/token-parts.ts";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import {
  type ResolvedWeightPolicy,
  resolveWeightPolicy,
  type SkippedRow,
  type WeightPolicy,
} from "../data/tokens/index.ts";
import type { Normalization } from "../loss/normalization.ts";
import type { Recommendation, TaskGroup } from "../statistics/index.ts";
import { recommendForRatio } from "./data-recommendation.ts";
import { type Distribution, distributionOf } from "./distribution.ts";
import { DuplicateCounter, type Duplicates } from "./duplicates.ts";
import { type GenerationRatio, generationRatio } from "./generation-ratio.ts";
import { type MeasuredClass, PART_CLASSES, PartCounter, writtenLengths } from "./part-lengths.ts";
import {
  type CompletionEnd,
  partTokens,
  type TrainedLengths,
  type TurnTokens,
  trainedLengths,
} from "./trained-lengths.ts";
import { inspectionWarnings } from "./warnings.ts";

export interface InspectOptions {
  readonly tokenizer: Tokenizer;
  /** What training would wrap the rows in. */
  readonly template: Template;
  /** Which assistant turns are trained; all when left out. */
  readonly turns?: TrainedTurns;
  /** Rows to render whole for the figures of training; 1,000 when left out. */
  readonly sample?: number;
  /** Of the sample; 0 when left out. */
  readonly seed?: number;
  /** The kind of task that the model is for, which the recommendation depends on. */
  readonly taskGroup?: TaskGroup;
  /** Of the loss, which decides what a weight is worth; `weight-sum` when left out. */
  readonly normalization?: Normalization;
  /** Weights beside the prompt loss weight, which shares of the loss are shown by. */
  readonly weights?: Omit<WeightPolicy, "promptLossWeight" | "tokenWeight">;
  /** Called after each row, with how many were read. */
  readonly onRow?: (rows: number) => void;
  /** Told of each row of the sample that the template refuses. */
  readonly onRefused?: (row: SkippedRow) => void;
}

export interface Inspection {
  readonly rows: number;
  /** Each part encoded by itself, without special tokens; a class that no row has is left out. */
  readonly parts: Readonly<Partial<Record<MeasuredClass, Distribution>>>;
  readonly generationRatio: GenerationRatio;
  /** As training sees the rows, on a sample. */
  readonly trained: {
    readonly template: string;
    readonly rows: number;
    readonly refused: number;
    readonly length: Distribution | undefined;
    readonly tokens: Readonly<Record<TokenClass, number>>;
    readonly ratio: number | undefined;
    /** Trained completions whose first token would have reached into the prompt. */
    readonly straddles: number;
    readonly ends: readonly CompletionEnd[];
    /** Tokens of each trained turn with what stands before it; from the eighth on together. */
    readonly turns: readonly TurnTokens[];
    /** Trained turns compared with the chat template's generation marks, and the rows in which the two differ. */
    readonly markedTurns: number;
    readonly unlikeMarks: number;
  };
  /** Each part's share of the sum of weights, which is that of the loss were all tokens' losses alike. */
  readonly lossShares: readonly ({ readonly promptLossWeight: number } & Readonly<
    Record<TokenPart, number>
  >)[];
  /** The same of each class and of each trained turn, for the same weights. */
  readonly classShares: Readonly<Record<TokenClass, readonly number[]>>;
  readonly turnShares: readonly (readonly number[])[];
  /** The share of sampled rows that are longer. */
  readonly overflow: readonly { readonly length: number; readonly share: number }[];
  readonly duplicates: Duplicates;
  readonly emptyCompletions: number;
  /** Undefined where there is no generation ratio to go by. */
  readonly recommendation: Recommendation | undefined;
  readonly warnings: readonly string[];
}

/** The prompt loss weights whose share of the loss is shown: those of the paper that a person would consider. */
export const SHOWN_WEIGHTS = [0, 0.01, 0.05, 0.1, 0.2463, 0.5, 1] as const;

const LENGTHS = [256, 512, 1024, 2048, 4096, 8192];

/**
 * Reads all examples once. Memory grows by some 50 bytes a row.
 * @example
 * ```ts
 * import { createTemplate, inspectExamples, loadExamples, loadTokenizer } from "promptloss";
 *
 * const tokenizer = await loadTokenizer("model");
 * const { examples } = await loadExamples({ path: "rows.json" });
 * const { rows, recommendation } = await inspectExamples(examples, {
 *   tokenizer,
 *   template: createTemplate("alpaca", tokenizer),
 * });
 * console.log(`${rows} rows ask for a prompt loss weight of ${recommendation?.plw}`);
 * ```
 */
export async function inspectExamples(
  examples: Iterable<Example> | AsyncIterable<Example>,
  options: InspectOptions,
): Promise<Inspection> {
  const { tokenizer, template, turns = "all", sample = 1000, seed = 0, onRow } = options;
  const { taskGroup, normalization } = options;
  const counter = new PartCounter(tokenizer);
  const duplicates = new DuplicateCounter();
  const reservoir = new Reservoir<Example>(sample, seed);
  for await (const example of examples) {
    duplicates.add(example);
    reservoir.add(example);
    await counter.add(example);
    onRow?.(reservoir.seen);
  }
  const lengths = await counter.finish();
  const policies = SHOWN_WEIGHTS.map((promptLossWeight) =>
    resolveWeightPolicy({ ...options.weights, promptLossWeight }),
  );
  const { classWeights } = policies[0]!;
  const trained = await trainedLengths(reservoir.items, { tokenizer, template, turns, classWeights });
  if (options.onRefused !== undefined) trained.report.skipped.forEach(options.onRefused);
  const ratio = generationRatio(lengths);
  const found = {
    rows: reservoir.seen,
    parts: Object.fromEntries(
      PART_CLASSES.filter((name) => lengths[name].some((length) => length > 0)).map((name) => [
        name,
        distributionOf(lengths[name]),
      ]),
    ),
    generationRatio: ratio,
    trained: {
      template: template.name,
      rows: trained.rows,
      refused: trained.refused,
      length: trained.length,
      tokens: trained.tokens,
      ratio: trained.ratio,
      straddles: trained.report.straddles,
      ends: trained.ends,
      turns: trained.turns,
      markedTurns: trained.report.markedTurns,
      unlikeMarks: trained.report.unlikeMarks,
    },
    ...sharesOf(trained, policies),
    overflow: overflowOf(trained.lengths, tokenizer.modelMaxLength),
    duplicates: duplicates.finish(),
    emptyCompletions: writtenLengths(lengths).filter((length) => length === 0).length,
    recommendation: recommendForRatio(ratio, { taskGroup, normalization }),
  };
  return { ...found, warnings: inspectionWarnings(found, trained.report) };
}

function sharesOf(
  { tokens, turns }: Pick<TrainedLengths, "tokens" | "turns">,
  policies: readonly ResolvedWeightPolicy[],
): Pick<Inspection, "lossShares" | "classShares" | "turnShares"> {
  /** Σ w of some tokens by class, and all of them together. */
  const weighed = (of: typeof tokens, { classWeights }: ResolvedWeightPolicy) => {
    const byClass = Object.fromEntries(
      TOKEN_CLASSES.map((name, code) => [name, of[name] * classWeights[code]!]),
    ) as Record<TokenClass, number>;
    return { byClass, sum: Object.values(byClass).reduce((a, b) => a + b, 0) };
  };
  const wholes = policies.map((policy) => weighed(tokens, policy));
  const share = (weight: number, i: number): number => (wholes[i]!.sum === 0 ? 0 : weight / wholes[i]!.sum);
  return {
    lossShares: SHOWN_WEIGHTS.map((promptLossWeight, i) => {
      const { prompt, content, end } = partTokens(wholes[i]!.byClass);
      return {
        promptLossWeight,
        ...{ prompt: share(prompt, i), content: share(content, i), end: share(end, i) },
      };
    }),
    classShares: Object.fromEntries(
      TOKEN_CLASSES.map((name) => [name, wholes.map(({ byClass }, i) => share(byClass[name], i))]),
    ) as unknown as Inspection["classShares"],
    turnShares: turns.map((turn) => policies.map((policy, i) => share(weighed(turn.tokens, policy).sum, i))),
  };
}

function overflowOf(lengths: readonly number[], modelMaxLength: number | undefined): Inspection["overflow"] {
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const shown = new Set(
    LENGTHS.filter((length, i) => length <= longest || LENGTHS[i - 1]! < longest || i === 0),
  );
  if (modelMaxLength !== undefined) shown.add(modelMaxLength);
  return [...shown]
    .sort((a, b) => a - b)
    .map((length) => ({
      length,
      share: lengths.length === 0 ? 0 : lengths.filter((each) => each > length).length / lengths.length,
    }));
}

/** A uniform sample of a stream of unknown length (Vitter's algorithm R). */
class Reservoir<T> {
  readonly items: T[] = [];
  seen = 0;
  readonly #size: number;
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(size: number, seed: number) {
    this.#size = size;
    this.#generator = xoroshiro128plus(seed);
  }

  add(item: T): void {
    this.seen++;
    if (this.items.length < this.#size) {
      this.items.push(item);
      return;
    }
    const slot = uniformInt(this.#generator, 0, this.seen - 1);
    if (slot < this.#size) this.items[slot] = item;
  }
}
