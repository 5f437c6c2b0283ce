// The two sides of an encoder-decoder: of each sequence the encoder reads the first tokens, its prompt, and the decoder the
// rest behind a start token. The start token stands where the prompt's last token does: like a decoder's, the state at
// each place predicts the token behind it. So packs, losses, scores and generation read both kinds of models alike.
import type { EncoderPlan } from "../config/architecture.ts";
import { ModelInputError } from "../errors.ts";
import { joinIds, type PackedSequences, packSequences } from "./input.ts";

export interface Sides {
  /** The prompts that are read now; undefined where a cache has all of them. */
  readonly encoder: PackedSequences | undefined;
  /** Whose prompts these are. */
  readonly fresh: readonly number[];
  readonly decoder: PackedSequences;
  /** For each place of the input the decoder's token whose state it has; −1 where it has none. Undefined where all are alike. */
  readonly states: Int32Array | undefined;
}

/**
 * @param hasPrompt whether a cache has the prompt of a sequence; then all its tokens are the decoder's
 * @throws {ModelInputError} for splits that do not fit the sequences
 */
export function sidesOf(
  input: PackedSequences,
  plan: EncoderPlan,
  hasPrompt: (sequence: number) => boolean,
): Sides {
  const { ids, starts, splits } = input;
  const sequences = Array.from({ length: starts.length - 1 }, (_, i) =>
    ids.subarray(starts[i]!, starts[i + 1]!),
  );
  if (splits !== undefined && splits.length !== sequences.length)
    throw new ModelInputError(`${splits.length} splits for ${sequences.length} sequences`);
  const fresh = sequences.flatMap((_, i) => (hasPrompt(i) ? [] : [i]));
  if (fresh.length === 0) return { encoder: undefined, fresh, decoder: { ids, starts }, states: undefined };
  const states = new Int32Array(ids.length).fill(-1);
  const encoded: Int32Array[] = [];
  const decoded: Int32Array[] = [];
  let at = 0;
  sequences.forEach((sequence, i) => {
    if (hasPrompt(i)) {
      for (let k = 0; k < sequence.length; k++) states[starts[i]! + k] = at + k;
      decoded.push(sequence);
      at += sequence.length;
      return;
    }
    const split = splits?.[i] ?? sequence.length;
    if (!(split >= 0 && split <= sequence.length))
      throw new ModelInputError(
        `sequence ${i}: the encoder can't read ${split} of ${sequence.length} tokens`,
      );
    encoded.push(ended(sequence.subarray(0, split), plan.endId));
    const from = plan.promptInDecoder ? 0 : split;
    const rest = sequence.subarray(from);
    decoded.push(joinIds([plan.startId], rest));
    if (from > 0) states[starts[i]! + from - 1] = at;
    for (let k = 0; k < rest.length; k++) states[starts[i]! + from + k] = at + 1 + k;
    at += 1 + rest.length;
  });
  return { encoder: packSequences(encoded), fresh, decoder: packSequences(decoded), states };
}

/** With the token that ends what an encoder reads, unless it ends so. */
function ended(ids: Int32Array, endId: number | undefined): Int32Array {
  return endId === undefined || ids.at(-1) === endId ? ids : joinIds(ids, [endId]);
}
