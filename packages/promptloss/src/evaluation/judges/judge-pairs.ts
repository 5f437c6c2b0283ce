// Pairs, a protocol and a judge → verdicts and rates. Each reply is kept as soon as it is there.
import { counted } from "../../counted.ts";
import { ALPACA_EVAL } from "./alpaca-eval.ts";
import { ReplyCache, replyKey } from "./cache.ts";
import { JudgeError } from "./errors.ts";
import type { Judge } from "./judge.ts";
import { type LengthControlled, lengthControlledWinRate } from "./length-control.ts";
import type { OutputPair } from "./pairs.ts";
import { PANDALM } from "./pandalm.ts";
import type { JudgeProtocol, JudgeRequest, ProtocolName, Verdict } from "./protocol.ts";
import { scoreOf, type WinRate, winRate } from "./win-rate.ts";

export const PROTOCOLS = { "alpaca-eval": ALPACA_EVAL, pandalm: PANDALM } as const satisfies Readonly<
  Record<ProtocolName, JudgeProtocol>
>;

export interface JudgePairsOptions {
  readonly protocol: ProtocolName;
  /** Of the order in which the two outputs stand; 0 where left out. */
  readonly seed?: number;
  /** A file of JSON lines; nothing is kept where left out. */
  readonly cache?: string;
  /** Hears how many pairs are judged. */
  readonly onProgress?: (judged: number) => void;
  readonly signal?: AbortSignal;
}

export interface JudgedPair extends OutputPair {
  readonly verdict: Verdict;
  /** What the judge said; undefined where it was not asked. */
  readonly reply?: string;
  /** Whether the candidate stood second; undefined where nobody was asked. */
  readonly switched?: boolean;
}

export interface Judgment extends WinRate {
  readonly protocol: ProtocolName;
  readonly judge: string;
  readonly seed: number;
  /** Undefined where the model has no estimate. */
  readonly lengthControlled: LengthControlled | undefined;
  /** Replies that the cache had, of those asked for. */
  readonly fromCache: number;
  /** In the order given. */
  readonly pairs: readonly JudgedPair[];
}

/**
 * Has pairs judged.
 * @throws {JudgeError} where the judge fails, or none of its replies can be read
 * @example
 * ```ts
 * import { judgePairs } from "promptloss";
 * import type { Judge } from "promptloss/evaluation";
 *
 * // `endpointJudge` and `modelJudge` make judges; this one always prefers what it reads first.
 * const judge: Judge = {
 *   name: "first",
 *   identity: "first",
 *   reply: async (requests, onReply) => requests.forEach((_, index) => onReply(index, "1\n\n### Reason: first")),
 * };
 * const pairs = [{ instruction: "Name a color.", input: "", candidate: "red", reference: "a stone" }];
 * const { n } = await judgePairs(pairs, judge, { protocol: "pandalm" });
 * console.log(`${n} pairs`);
 * ```
 */
export async function judgePairs(
  pairs: readonly OutputPair[],
  judge: Judge,
  options: JudgePairsOptions,
): Promise<Judgment> {
  const { seed = 0, onProgress } = options;
  const protocol = PROTOCOLS[options.protocol];
  const asked = pairs.map((pair) => protocol.ask(pair, seed));
  const requests = asked.filter((each) => typeof each !== "string");
  const { replies, fromCache } = await repliesTo(requests, judge, {
    ...options,
    onProgress: (answered) => onProgress?.(pairs.length - requests.length + answered),
  });
  const judged = pairs.map((pair, i): JudgedPair => {
    const request = asked[i]!;
    if (typeof request === "string") return { ...pair, verdict: request };
    const reply = replies.get(request)!;
    const { switched } = request;
    return { ...pair, verdict: protocol.read(reply, request), reply, switched };
  });
  const verdicts = judged.map(({ verdict }) =>
    verdict === "unreadable" && protocol.unreadableIsTie ? "tie" : verdict,
  );
  if (verdicts.every((verdict) => verdict === "unreadable"))
    throw new JudgeError(
      `none of ${counted(pairs.length, "reply", "replies")} of ${judge.name} is a verdict`,
      {
        hint: `the first: ${JSON.stringify((judged[0]?.reply ?? "").slice(0, SHOWN))}`,
      },
    );
  const lengths = judged.flatMap(({ candidate, reference }, i) => {
    const score = scoreOf(verdicts[i]!);
    return score === undefined
      ? []
      : [{ score, candidate: characters(candidate), reference: characters(reference) }];
  });
  return {
    protocol: options.protocol,
    judge: judge.name,
    seed,
    ...winRate(verdicts),
    unreadable: judged.filter(({ verdict }) => verdict === "unreadable").length,
    lengthControlled: lengthControlledWinRate(lengths),
    fromCache,
    pairs: judged,
  };
}

/** Code points, as Python counts them. */
function characters(text: string): number {
  return [...text].length;
}

const SHOWN = 80;

/** From the cache what it has, from the judge the rest; equal requests are asked once. */
async function repliesTo(
  requests: readonly JudgeRequest[],
  judge: Judge,
  { cache: file, onProgress, signal }: Pick<JudgePairsOptions, "cache" | "onProgress" | "signal">,
): Promise<{ replies: Map<JudgeRequest, string>; fromCache: number }> {
  using cache = file === undefined ? undefined : new ReplyCache(file);
  const known = new Map<string, string>();
  const open = new Map<string, JudgeRequest>();
  const keys = requests.map((request) => replyKey(judge.identity, request));
  requests.forEach((request, i) => {
    const kept = cache?.get(keys[i]!);
    if (kept !== undefined) known.set(keys[i]!, kept);
    else if (!open.has(keys[i]!)) open.set(keys[i]!, request);
  });
  const fromCache = keys.filter((key) => known.has(key)).length;
  const progress = (): void => onProgress?.(keys.filter((key) => known.has(key)).length);
  progress();
  const waiting = [...open];
  await judge.reply(
    waiting.map(([, request]) => request),
    (index, reply) => {
      const [key] = waiting[index]!;
      known.set(key, reply);
      cache?.set(key, reply);
      progress();
    },
    signal,
  );
  return { replies: new Map(requests.map((request, i) => [request, known.get(keys[i]!)!])), fromCache };
}
