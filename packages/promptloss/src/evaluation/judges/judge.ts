// Who is asked: an endpoint or a model of our own.
import type { JudgeRequest } from "./protocol.ts";

export interface Judge {
  /** For people: the model's name. */
  readonly name: string;
  /** Everything that its replies depend on beside the request; no secrets. */
  readonly identity: string;
  /**
   * Replies to requests in any order.
   * @param onReply hears of each reply as it comes
   * @throws {JudgeError} where one can't be had; others may have been told by then
   */
  reply(
    requests: readonly JudgeRequest[],
    onReply: (index: number, reply: string) => void,
    signal?: AbortSignal,
  ): Promise<void>;
}
