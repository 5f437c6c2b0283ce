// What a model reads of encoded pairs: cut from the left where it is too long, and put into groups whose rows begin
// with the same tokens, which are then read once.
import type { EncodedPair } from "./encode-pairs.ts";

/** A pair as read: all tokens but the last go in, the targets are predicted by the last places. */
export interface ScoredSequence {
  /** The place of the pair in the request. */
  readonly index: number;
  readonly input: Int32Array;
  readonly targets: Int32Array;
}

/** Sequences that share their first tokens, up to the first that is scored for any of them. */
export interface SequenceGroup {
  readonly prefix: Int32Array;
  readonly sequences: readonly ScoredSequence[];
}

/** Of a context of so many tokens the last that there is room for, with the continuation whole. */
export function sequenceOf(pair: EncodedPair, index: number, maxLength: number): ScoredSequence {
  const { context, continuation } = pair;
  const whole = new Int32Array(context.length + continuation.length);
  whole.set(context);
  whole.set(continuation, context.length);
  const kept = whole.subarray(Math.max(0, whole.length - maxLength - 1));
  return { index, input: kept.slice(0, -1), targets: continuation };
}

/** Puts sequences together that share a prefix: those of an item do, where they were not cut differently. */
export function groupSequences(sequences: readonly ScoredSequence[]): SequenceGroup[] {
  const groups = new Map<string, ScoredSequence[]>();
  for (const sequence of sequences) {
    const key = prefixOf(sequence).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sequence]);
    else group.push(sequence);
  }
  return [...groups.values()].map((group) => ({ prefix: prefixOf(group[0]!), sequences: group }));
}

/** What comes before the first scored token; its last place predicts that token. */
function prefixOf({ input, targets }: ScoredSequence): Int32Array {
  return input.subarray(0, input.length - targets.length + 1);
}

/** Tokens that reading a group takes. */
export function groupTokens({ prefix, sequences }: SequenceGroup): number {
  return sequences.reduce((sum, { targets }) => sum + targets.length - 1, prefix.length);
}
