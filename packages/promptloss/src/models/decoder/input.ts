// What a decoder reads: sequences laid end to end, without padding.
import type { Architecture } from "../config/architecture.ts";
import { ModelInputError } from "../errors.ts";

/** Sequences end to end. `PackedTokens` of the data path is one. */
export interface PackedSequences {
  /** Token ids, [tokens]. */
  readonly ids: Int32Array;
  /** Where each sequence starts, and at the end the number of tokens: [sequences + 1]. */
  readonly starts: Int32Array;
  /** Position of each token in its sequence, [tokens]; from 0 where left out. */
  readonly positions?: Int32Array;
  /** Of each sequence how many of its first tokens an encoder reads, [sequences]; all where left out. Decoders read all. */
  readonly splits?: Int32Array;
}

/** Lays sequences end to end. */
export function packSequences(sequences: readonly ArrayLike<number>[]): PackedSequences {
  const starts = new Int32Array(sequences.length + 1);
  sequences.forEach((ids, i) => {
    starts[i + 1] = starts[i]! + ids.length;
  });
  const ids = new Int32Array(starts.at(-1) ?? 0);
  sequences.forEach((each, i) => {
    ids.set(each as ArrayLike<number>, starts[i]!);
  });
  return { ids, starts };
}

/** Ids one behind the other. */
export function joinIds(...parts: readonly ArrayLike<number>[]): Int32Array {
  const joined = new Int32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** One sequence's place among the tokens, and how many of its tokens lie in the cache already. */
export interface Segment {
  readonly start: number;
  readonly length: number;
  readonly past: number;
}

/**
 * The sequences of an input, checked.
 * @throws {ModelInputError} where borders do not add up or an id or position is out of range
 */
export function segmentsOf(
  input: PackedSequences,
  architecture: Architecture,
  past?: readonly number[],
): Segment[] {
  const { ids, starts } = input;
  if (ids.length === 0) throw new ModelInputError("there are no tokens");
  if (starts.length < 2 || starts[0] !== 0 || starts.at(-1) !== ids.length)
    throw new ModelInputError(
      `starts must lead from 0 to the ${ids.length} tokens, got ${starts[0]} … ${starts.at(-1)}`,
    );
  if (past !== undefined && past.length !== starts.length - 1)
    throw new ModelInputError(`the cache holds ${past.length} sequences, got ${starts.length - 1}`);
  const segments = Array.from({ length: starts.length - 1 }, (_, i) => {
    const length = starts[i + 1]! - starts[i]!;
    if (length < 1) throw new ModelInputError(`sequence ${i} has ${length} tokens`);
    return { start: starts[i]!, length, past: past?.[i] ?? 0 };
  });
  const outside = ids.findIndex((id) => id < 0 || id >= architecture.vocabularySize);
  if (outside >= 0)
    throw new ModelInputError(
      `token ${outside} has id ${ids[outside]}, outside the vocabulary of ${architecture.vocabularySize}`,
      { hint: "the tokenizer has more tokens than the model's config says" },
    );
  return segments;
}

/** Position of each token, checked against what the model can tell apart. */
export function positionsOf(
  input: PackedSequences,
  segments: readonly Segment[],
  architecture: Architecture,
): Int32Array {
  const given = input.positions;
  const positions = new Int32Array(input.ids.length);
  for (const { start, length, past } of segments)
    for (let i = 0; i < length; i++) positions[start + i] = given?.[start + i] ?? past + i;
  if (given !== undefined && given.length !== positions.length)
    throw new ModelInputError(`${given.length} positions for ${positions.length} tokens`);
  const last = positions.reduce((most, position) => Math.max(most, position), 0);
  const limits = architecture.ropes.flatMap((rope) => (rope.limit === undefined ? [] : [rope.limit]));
  if (architecture.positionOffset !== undefined) limits.push(architecture.maxPositions);
  const limit = Math.min(...limits, Number.POSITIVE_INFINITY);
  if (last >= limit)
    throw new ModelInputError(`a sequence of ${last + 1} tokens; this model's positions end at ${limit}`, {
      hint: "shorten the sequence",
    });
  for (const { length, past } of segments)
    if (changesRope(architecture, past, length))
      throw new ModelInputError(
        `at ${past + length} tokens the frequencies of this model's positions change`,
        {
          hint: "read the whole sequence into a new cache",
        },
      );
  return positions;
}

/** Whether tokens after `past` cached ones turn by other frequencies than those did (LongRoPE). */
export function changesRope(architecture: Architecture, past: number, length: number): boolean {
  return architecture.ropes.some(
    ({ long }) => long !== undefined && past > 0 && past <= long.above && past + length > long.above,
  );
}
