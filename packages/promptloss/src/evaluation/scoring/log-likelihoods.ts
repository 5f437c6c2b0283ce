// Log-likelihoods of continuations. Prefixes of a batch are laid end to end and read once into a cache; its rows are
// then repeated for the continuations, which are read end to end as well. Only scored tokens get logits. Nothing is
// padded, so that a score does not depend on what else is in the batch, but for the rounding of larger products.
import { cat, fromTypedArray, noGrad, scope, type Tensor, weightedCrossEntropy } from "@promptloss/torch";
import { notFinite } from "../../models/errors.ts";
import { type CausalLanguageModel, KeyValueCache, packSequences } from "../../models/index.ts";
import { groupSequences, groupTokens, type ScoredSequence, type SequenceGroup } from "./sequences.ts";

export interface LogLikelihood {
  /** Σ of the natural logarithms, in float64. */
  readonly sum: number;
  /** Whether every token is the likeliest at its place. */
  readonly greedy: boolean;
  readonly tokens: number;
}

export interface LogLikelihoodOptions {
  /** Tokens that are read at once, about; 4,096 where left out. */
  readonly batchTokens?: number | undefined;
  /** Told after each batch which sequences are done. */
  readonly onBatch?: (indices: readonly number[], scores: readonly LogLikelihood[]) => void;
  /** Ends between batches. */
  readonly signal?: AbortSignal | undefined;
}

const BATCH_TOKENS = 4096;

/**
 * In the order of the sequences. Undefined for those that the signal left out.
 * @throws {ModelError} for a model whose log-likelihoods are NaN or infinite
 */
export function logLikelihoods(
  model: CausalLanguageModel,
  sequences: readonly ScoredSequence[],
  options: LogLikelihoodOptions = {},
): (LogLikelihood | undefined)[] {
  const { batchTokens = BATCH_TOKENS, onBatch, signal } = options;
  const results = new Array<LogLikelihood | undefined>(sequences.length).fill(undefined);
  const places = new Map(sequences.map((sequence, place) => [sequence, place]));
  // Frequencies that change with the length (LongRoPE) leave nothing to share.
  const shares = !model.architecture.ropes.some(({ long }) => long !== undefined);
  const groups = shares
    ? groupSequences(sequences)
    : sequences.map((sequence) => ({ prefix: new Int32Array(0), sequences: [sequence] }));
  for (const batch of batches(groups, batchTokens)) {
    if (signal?.aborted) break;
    const members = batch.flatMap((group) => group.sequences);
    const scores = noGrad(() => scope(() => (shares ? readShared(model, batch) : readWhole(model, members))));
    members.forEach((sequence, i) => {
      results[places.get(sequence)!] = scores[i]!;
    });
    onBatch?.(
      members.map(({ index }) => index),
      scores,
    );
  }
  return results;
}

/** Groups of like length together, the longest first. */
function* batches(groups: readonly SequenceGroup[], budget: number): Generator<SequenceGroup[]> {
  const sorted = [...groups].sort((a, b) => groupTokens(b) - groupTokens(a));
  let batch: SequenceGroup[] = [];
  let tokens = 0;
  for (const group of sorted) {
    const size = groupTokens(group);
    if (batch.length > 0 && tokens + size > budget) {
      yield batch;
      [batch, tokens] = [[], 0];
    }
    batch.push(group);
    tokens += size;
  }
  if (batch.length > 0) yield batch;
}

function readShared(model: CausalLanguageModel, groups: readonly SequenceGroup[]): LogLikelihood[] {
  const members = groups.flatMap((group, row) => group.sequences.map((sequence) => ({ sequence, row })));
  const prefixes = packSequences(groups.map(({ prefix }) => prefix));
  const longer = members.filter(({ sequence }) => sequence.targets.length > 1);
  const room = Math.max(...members.map(({ sequence }) => sequence.input.length));
  using cache = new KeyValueCache(model.architecture, groups.length, room);
  const read = model.forward(prefixes, longer.length === 0 ? {} : { cache });
  const states: Tensor[] = [read];
  let places = members.map(({ row }) => [prefixes.starts[row + 1]! - 1]);
  if (longer.length > 0) {
    cache.reorder(longer.map(({ row }) => row));
    const rests = packSequences(
      longer.map(({ sequence: { input, targets } }) => input.subarray(input.length - targets.length + 1)),
    );
    states.push(model.forward(rests, { cache }));
    const offsets = new Map(
      longer.map(({ sequence }, i) => [sequence, prefixes.ids.length + rests.starts[i]!]),
    );
    places = members.map(({ sequence }, i) => {
      const offset = offsets.get(sequence);
      const more = offset === undefined ? [] : sequence.targets.slice(1).map((_, k) => offset + k);
      return [...places[i]!, ...more];
    });
  }
  return scored(
    model,
    states.length === 1 ? read : cat(states, 0),
    places,
    members.map(({ sequence }) => sequence),
  );
}

function readWhole(model: CausalLanguageModel, sequences: readonly ScoredSequence[]): LogLikelihood[] {
  const packed = packSequences(sequences.map(({ input }) => input));
  const places = sequences.map(({ targets }, i) =>
    Array.from(targets, (_, k) => packed.starts[i + 1]! - targets.length + k),
  );
  return scored(model, model.forward(packed), places, sequences);
}

/** @param states [tokens, hidden size] @param places of the states that predict each sequence's targets */
function scored(
  model: CausalLanguageModel,
  states: Tensor,
  places: readonly (readonly number[])[],
  sequences: readonly ScoredSequence[],
): LogLikelihood[] {
  const { device } = model;
  const ids = (values: readonly number[]): Tensor =>
    fromTypedArray(BigInt64Array.from(values, BigInt), undefined, { device });
  const targets = sequences.flatMap((sequence) => [...sequence.targets]);
  const hidden = states.indexSelect(0, ids(places.flat()));
  const weights = fromTypedArray(new Float32Array(targets.length).fill(1), undefined, { device });
  const { tokenLosses, tokenCorrect } = weightedCrossEntropy(hidden, model.head, ids(targets), weights, {
    reduction: "sum",
    logitSoftcap: model.architecture.logitSoftcap ?? 0,
  });
  const losses = tokenLosses.to({ dtype: "float64" }).toTypedArray("float64");
  const correct = tokenCorrect.to({ dtype: "uint8" }).toTypedArray("uint8");
  let at = 0;
  return sequences.map(({ targets: { length } }) => {
    const from = at;
    at += length;
    const sum = losses.subarray(from, at).reduce((total, loss) => total - loss, 0);
    if (!Number.isFinite(sum)) throw notFinite("the log-likelihoods that the model gives");
    return { sum, greedy: correct.subarray(from, at).every((each) => each === 1), tokens: length };
  });
}
