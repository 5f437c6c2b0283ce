// What a prompt's loss is where an encoder reads the prompt and the decoder predicts completions alone. A choice of ours:
// `none` predicts no prompt; `denoise` adds T5's own objective, span corruption (Raffel et al., 2020, section 3.1.4), of the
// prompt, as a row of its own; `reconstruct` has the decoder read and predict the prompt before the completion.
import { PART_OF_CODE } from "../token-parts.ts";
import { CLASS_CODE } from "./classified-tokens.ts";
import { WeightedTokens } from "./weighted-tokens.ts";

export const PROMPT_OBJECTIVES = ["none", "denoise", "reconstruct"] as const;

export type PromptObjective = (typeof PROMPT_OBJECTIVES)[number];

/** The tokens before the first of a completion; all where there is none. */
export function promptLength(classes: Uint8Array): number {
  const first = classes.findIndex((code) => PART_OF_CODE[code] !== "prompt");
  return first < 0 ? classes.length : first;
}

/** Whether prompt stands between two completions: no encoder reads it before both. */
export function hasSeveralCompletions(classes: Uint8Array): boolean {
  const isPrompt = (code: number): boolean => PART_OF_CODE[code] === "prompt";
  const behind = classes.subarray(promptLength(classes));
  const next = behind.findIndex(isPrompt);
  return next >= 0 && !behind.subarray(next).every(isPrompt);
}

/** Spans of T5's unsupervised objective: the share of tokens that is taken out, and the mean length of a span. */
export const NOISE_DENSITY = 0.15;
export const MEAN_SPAN = 3;

export interface Corruption {
  /** Ids of the tokens that stand for spans: <extra_id_0>, <extra_id_1>, …. */
  readonly sentinels: readonly number[];
  /** Ends what the decoder writes. */
  readonly endId: number;
}

/**
 * A row of which the encoder reads a prompt without some spans, and the decoder writes them. Each span's tokens keep their
 * classes and weights; a sentinel, and the end, weigh as the span's first token before them, of class `template`.
 * @param draw numbers below a bound, 0 and up
 * @returns undefined for a prompt too short to lose a span
 */
export function corrupted(
  row: WeightedTokens,
  { sentinels, endId }: Corruption,
  draw: (bound: number) => number,
): WeightedTokens | undefined {
  const length = promptLength(row.classes);
  if (length < 2 || sentinels.length < 2) return undefined;
  const spans = noiseSpans(length, sentinels.length - 1, draw);
  const encoder: Piece[] = [];
  const decoder: Piece[] = [];
  let from = 0;
  spans.forEach(({ start, end }, index) => {
    const mark = { ids: [sentinels[index]!], weight: 0 };
    encoder.push(pieceOf(row, from, start), mark);
    decoder.push({ ...mark, weight: row.weights[start]! }, pieceOf(row, start, end));
    from = end;
  });
  encoder.push(pieceOf(row, from, length));
  decoder.push({ ids: [sentinels[spans.length]!, endId], weight: row.weights[spans.at(-1)!.start]! });
  const encoded = encoder.reduce((sum, { ids }) => sum + ids.length, 0);
  return joined([...encoder.map((piece) => ({ ...piece, weight: 0 })), ...decoder], row, encoded);
}

interface Piece {
  readonly ids: ArrayLike<number>;
  /** Of the row's tokens; `template` where undefined. */
  readonly classes?: Uint8Array;
  /** Of each token, or one for all. */
  readonly weight: Float32Array | number;
}

function pieceOf({ ids, classes, weights }: WeightedTokens, start: number, end: number): Piece {
  return {
    ids: ids.subarray(start, end),
    classes: classes.subarray(start, end),
    weight: weights.subarray(start, end),
  };
}

function joined(pieces: readonly Piece[], { source }: WeightedTokens, encoded: number): WeightedTokens {
  const length = pieces.reduce((sum, { ids }) => sum + ids.length, 0);
  const ids = new Int32Array(length);
  const classes = new Uint8Array(length).fill(CLASS_CODE.template);
  const weights = new Float32Array(length);
  let at = 0;
  for (const piece of pieces) {
    ids.set(piece.ids, at);
    if (piece.classes !== undefined) classes.set(piece.classes, at);
    if (typeof piece.weight === "number") weights.fill(piece.weight, at, at + piece.ids.length);
    else weights.set(piece.weight, at);
    at += piece.ids.length;
  }
  return WeightedTokens.of({ ids, classes, weights, source, encoded });
}

interface NoiseSpan {
  readonly start: number;
  readonly end: number;
}

/** Spans of random lengths between tokens that stay, of random lengths too; the first tokens stay. */
export function noiseSpans(length: number, most: number, draw: (bound: number) => number): NoiseSpan[] {
  const noise = Math.min(Math.max(Math.round(length * NOISE_DENSITY), 1), length - 1);
  const kept = length - noise;
  const count = Math.min(Math.max(Math.round(noise / MEAN_SPAN), 1), noise, kept, most);
  const [noiseLengths, keptLengths] = [parts(noise, count, draw), parts(kept, count, draw)];
  let at = 0;
  return noiseLengths.map((size, index) => {
    const start = at + keptLengths[index]!;
    at = start + size;
    return { start, end: at };
  });
}

/** A whole number as a sum of so many of at least 1, each way equally likely. */
function parts(total: number, count: number, draw: (bound: number) => number): number[] {
  const cuts = new Set<number>();
  // Floyd's way to a random subset of the places between.
  for (let place = total - count + 1; place < total; place++) {
    const drawn = 1 + draw(place);
    cuts.add(cuts.has(drawn) ? place : drawn);
  }
  const edges = [0, ...[...cuts].sort((a, b) => a - b), total];
  return edges.slice(1).map((edge, index) => edge - edges[index]!);
}
