// The options of generation, their defaults and their checks. Whatever an option can't do beside another is refused.
import { counted } from "../counted.ts";
import { nearestName } from "../data/rows/nearest-name.ts";
import type { TokenConstraint } from "./decoding/constraint.ts";
import { GenerationError } from "./errors.ts";
import type { StopCriterion, TokenEvent } from "./types.ts";

export interface GenerateOptions {
  /** New tokens a sequence at most; 256 where left out, and never more than the model's context has room for. */
  readonly maxNewTokens?: number;
  /** New tokens before a stop token may end a sequence; 0 where left out. A stop criterion may at any time. */
  readonly minNewTokens?: number;
  /** 0, where left out, takes the likeliest token; above 0 tokens are drawn, from logits over the temperature. */
  readonly temperature?: number;
  /** Draw from the k likeliest tokens; 0, where left out, from all. */
  readonly topK?: number;
  /** Draw from the fewest likeliest tokens whose probabilities reach p together; 1 where left out. */
  readonly topP?: number;
  /**
   * Scores of tokens seen in prompt or continuation, over it where positive, times it where negative; 0.001 to
   * 1000, 1 is none.
   */
  readonly repetitionPenalty?: number;
  /** Beams a prompt; 1, where left out, searches none. */
  readonly beams?: number;
  /** Beams are ranked by summed log-probability over length ** lengthPenalty; 1 where left out. */
  readonly lengthPenalty?: number;
  /**
   * When a prompt's beams are done: true, when `beams` continuations have ended; false, where left out, when none that
   * runs would win at its present length; "never", when none could win at any length.
   */
  readonly earlyStopping?: boolean | "never";
  /** Sequences a prompt; 1 where left out. More need a temperature, or as many beams. */
  readonly sequences?: number;
  /**
   * Of the draws. Sequence s of prompt p draws from seed + p · sequences + s, or, with a list, from seed[p] + s,
   * whatever else is in the batch. 0 where left out.
   */
  readonly seed?: number | readonly number[];
  /** Tokens that end a sequence. */
  readonly stopIds?: Iterable<number>;
  readonly stopCriterion?: StopCriterion;
  /** Log-probabilities of the tokens, with so many of the likeliest at each place. */
  readonly logProbabilities?: number;
  /** Sequences that run at once; 32 where left out. */
  readonly batchSize?: number;
  /**
   * Hears of the tokens of each step, before it goes on; on an accelerator of several steps in turn, when they are read. Not
   * with beams, which change their minds.
   */
  readonly onTokens?: (tokens: readonly TokenEvent[]) => void | Promise<void>;
  /** Ends all sequences as they are. */
  readonly signal?: AbortSignal;
  /** What a sequence may be made of; asked once for each sequence. Not with beams. */
  readonly constraint?: (prompt: number, sequence: number) => TokenConstraint | undefined;
}

/** Options with every default settled. */
export interface GenerationSettings {
  readonly maxNewTokens: number;
  readonly minNewTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly repetitionPenalty: number;
  readonly beams: number;
  readonly lengthPenalty: number;
  readonly earlyStopping: boolean | "never";
  readonly sequences: number;
  readonly seeds: (prompt: number, sequence: number) => number;
  readonly stopIds: ReadonlySet<number>;
  readonly stopCriterion: StopCriterion | undefined;
  readonly logProbabilities: number | undefined;
  readonly batchSize: number;
  readonly onTokens: GenerateOptions["onTokens"];
  readonly signal: AbortSignal | undefined;
  readonly constraint: GenerateOptions["constraint"];
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

/** Beyond these bounds scores in float32 are no longer finite, or all alike. */
export const REPETITION_PENALTY = { least: 1e-3, most: 1e3 } as const;

const CHECKS: Readonly<Record<keyof GenerateOptions, readonly [(value: never) => boolean, string]>> = {
  maxNewTokens: [(value) => isCount(value, 1), "a whole number of 1 or more"],
  minNewTokens: [(value) => isCount(value, 0), "a whole number of 0 or more"],
  temperature: [(value) => Number.isFinite(value) && value >= 0, "a number of 0 or more"],
  topK: [(value) => isCount(value, 0), "a whole number of 0 or more"],
  topP: [(value) => value > 0 && value <= 1, "a number above 0 and up to 1"],
  repetitionPenalty: [
    (value) => value >= REPETITION_PENALTY.least && value <= REPETITION_PENALTY.most,
    `a number from ${REPETITION_PENALTY.least} to ${REPETITION_PENALTY.most}`,
  ],
  beams: [(value) => isCount(value, 1), "a whole number of 1 or more"],
  lengthPenalty: [(value) => Number.isFinite(value), "a number"],
  earlyStopping: [
    (value: unknown) => typeof value === "boolean" || value === "never",
    'true, false or "never"',
  ],
  sequences: [(value) => isCount(value, 1), "a whole number of 1 or more"],
  seed: [
    (value: unknown) => [value].flat().every((seed) => Number.isSafeInteger(seed)),
    "a whole number, or one for each prompt",
  ],
  stopIds: [
    (value: Iterable<number>) => [...value].every((id) => isCount(id, 0)),
    "whole numbers of 0 or more",
  ],
  stopCriterion: [(value: unknown) => typeof value === "function", "a function"],
  logProbabilities: [(value) => isCount(value, 0), "a whole number of 0 or more"],
  batchSize: [(value) => isCount(value, 1), "a whole number of 1 or more"],
  onTokens: [(value: unknown) => typeof value === "function", "a function"],
  signal: [(value: unknown) => value instanceof AbortSignal, "an AbortSignal"],
  constraint: [(value: unknown) => typeof value === "function", "a function"],
};

/**
 * Checks options and settles defaults.
 * @param prompts how many there are
 * @throws {GenerationError} for unknown options, values out of range and options that exclude each other
 */
export function generationSettings(options: GenerateOptions, prompts: number): GenerationSettings {
  for (const [key, value] of Object.entries(options)) checkValue(key, value);
  const settings = {
    maxNewTokens: options.maxNewTokens ?? 256,
    minNewTokens: options.minNewTokens ?? 0,
    temperature: options.temperature ?? 0,
    topK: options.topK ?? 0,
    topP: options.topP ?? 1,
    repetitionPenalty: options.repetitionPenalty ?? 1,
    beams: options.beams ?? 1,
    lengthPenalty: options.lengthPenalty ?? 1,
    earlyStopping: options.earlyStopping ?? false,
    sequences: options.sequences ?? 1,
    stopIds: new Set(options.stopIds ?? []),
    stopCriterion: options.stopCriterion,
    logProbabilities: options.logProbabilities,
    batchSize: options.batchSize ?? 32,
    onTokens: options.onTokens,
    signal: options.signal,
    constraint: options.constraint,
  };
  checkTogether(settings, options);
  const { seed = 0 } = options;
  if (typeof seed !== "number" && seed.length !== prompts)
    throw new GenerationError("seed", `${counted(seed.length, "seed")} for ${counted(prompts, "prompt")}`);
  const seeds = (prompt: number, sequence: number): number =>
    (typeof seed === "number" ? seed + prompt * settings.sequences : seed[prompt]!) + sequence;
  return { ...settings, seeds };
}

function checkValue(key: string, value: unknown): void {
  if (!Object.hasOwn(CHECKS, key)) {
    const nearest = nearestName(key, Object.keys(CHECKS));
    throw new GenerationError(key, "there is no such option", {
      hint: nearest === undefined ? `the options are ${Object.keys(CHECKS).join(", ")}` : `is it ${nearest}?`,
    });
  }
  const [check, expected] = CHECKS[key as keyof GenerateOptions];
  if (value !== undefined && !check(value as never))
    throw new GenerationError(key, `expected ${expected}, got ${JSON.stringify(value) ?? String(value)}`);
}

function checkTogether(settings: Omit<GenerationSettings, "seeds">, options: GenerateOptions): void {
  const { temperature, topK, topP, beams, sequences, minNewTokens, maxNewTokens } = settings;
  const refuse = (field: string, message: string, hint: string): never => {
    throw new GenerationError(field, message, { hint });
  };
  if (minNewTokens > maxNewTokens)
    refuse("minNewTokens", `${minNewTokens} is more than the ${maxNewTokens} of maxNewTokens`, "lower it");
  if (temperature === 0 && (topK > 0 || topP < 1))
    refuse(
      topK > 0 ? "topK" : "topP",
      "has no effect at temperature 0, which always takes the likeliest token",
      "set a temperature, such as 1",
    );
  if (beams > 1 && temperature > 0)
    refuse("beams", "are searched, not drawn; a temperature has no place", "leave out one of the two");
  if (beams === 1)
    for (const field of ["lengthPenalty", "earlyStopping"] as const)
      if (options[field] !== undefined) refuse(field, "ranks beams, and there is one", "set beams above 1");
  if (beams > 1 && sequences > beams)
    refuse("sequences", `${sequences} of ${beams} beams`, `at most ${beams}, or more beams`);
  if (beams === 1 && sequences > 1 && temperature === 0)
    refuse("sequences", "would all be the same at temperature 0", "set a temperature or beams");
  if (beams > 1 && settings.constraint !== undefined)
    refuse("constraint", "holds for sequences that are taken token by token", "leave out one of the two");
  if (beams > 1 && settings.onTokens !== undefined)
    refuse("onTokens", "beams settle their tokens only at the end", "leave out one of the two");
}
