// Who is asked: an endpoint or a model of our own.
import type { JudgeRequest } from "./protocol.ts";

export interface Judge {
  /** For people: the model's name. */
  readonly name: string;
  /** Everything that its answers depend on beside the request; no secrets. */
  readonly identity: string;
  /**
   * Answers requests in any order.
   * @param onAnswer hears of each answer as it comes
   * @throws {JudgeError} where one can't be had; others may have been told by then
   */
  answer(
    requests: readonly JudgeRequest[],
    onAnswer: (index: number, answer: string) => void,
    signal?: AbortSignal,
  ): Promise<void>;
}
