// What generation gives back, and what it tells on the way. Plain data.

/** A token's natural log-probability under the model itself, before temperature, penalties and cuts. */
export interface TokenLogProbability {
  readonly id: number;
  readonly logProbability: number;
  /** The likeliest tokens of the place, best first; as many as were asked for. */
  readonly top: readonly { readonly id: number; readonly logProbability: number }[];
}

/** `stop`: by a stop token or a stop criterion; `length`: room or `maxNewTokens` used up; `abort`: by the signal. */
export type FinishReason = "stop" | "length" | "abort";

/** A continuation of one prompt. */
export interface GeneratedSequence {
  /** The new tokens; a stop token that ended them is the last. */
  readonly ids: Int32Array;
  readonly finishReason: FinishReason;
  /** The stop token's id, or what the stop criterion gave, such as a stop string. */
  readonly stopReason?: number | string;
  /** Of beams: the sum of the log-probabilities over length ** lengthPenalty. */
  readonly score?: number;
  /** One for each of `ids`, where asked for. */
  readonly logProbabilities?: readonly TokenLogProbability[];
}

/** A sequence as far as it has come. */
export interface Candidate {
  /** Index of its prompt. */
  readonly prompt: number;
  /** Which of the prompt's sequences; of beams always 0. */
  readonly sequence: number;
  /** The new tokens so far. A stop criterion is not asked about sequences that end in a stop token. */
  readonly ids: readonly number[];
}

/**
 * Says of each sequence why it should end here, or undefined where it should go on. Without beams it is asked about
 * each sequence once a token; with beams about every extension that the search looks at.
 */
export type StopCriterion = (
  candidates: readonly Candidate[],
) => readonly (string | undefined)[] | Promise<readonly (string | undefined)[]>;

/** A token as it is chosen. */
export interface TokenEvent {
  readonly prompt: number;
  readonly sequence: number;
  readonly id: number;
  readonly logProbability?: TokenLogProbability;
}
