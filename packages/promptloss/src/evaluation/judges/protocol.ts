// What a judge is asked about a pair, and how its reply is read. The protocols are in files of their own.
import type { ChatTurn } from "../../generation/index.ts";
import type { OutputPair } from "./pairs.ts";

/** For the candidate. `unreadable`: the judge said something else. */
export type Verdict = "win" | "lose" | "tie" | "unreadable";

export interface JudgeRequest {
  /** Messages of a chat, or a text to continue. */
  readonly prompt: { readonly messages: readonly ChatTurn[] } | { readonly text: string };
  /** New tokens at most; the likeliest ones. */
  readonly maxNewTokens: number;
  /** Of our own engine; endpoints have no such fields in common. */
  readonly local: {
    readonly beams?: number;
    readonly earlyStopping?: boolean;
    readonly repetitionPenalty?: number;
  };
  /** Whether the candidate stands second. */
  readonly switched: boolean;
}

export const PROTOCOL_NAMES = ["alpaca-eval", "pandalm"] as const;

export type ProtocolName = (typeof PROTOCOL_NAMES)[number];

export interface JudgeProtocol {
  readonly name: string;
  /** @returns a verdict where there is nothing to ask */
  readonly ask: (pair: OutputPair, seed: number) => JudgeRequest | Verdict;
  readonly read: (reply: string, request: Pick<JudgeRequest, "switched">) => Verdict;
  /** Whether verdicts that can't be read count as ties. */
  readonly unreadableIsTie: boolean;
}
