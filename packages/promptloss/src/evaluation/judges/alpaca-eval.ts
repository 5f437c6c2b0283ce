// AlpacaEval 1: the judge ranks two models, which stand in an order drawn for each instruction. Equal outputs are a
// draw without asking; a reply that is no ranking gives no verdict.
import { createHash } from "node:crypto";
import { z } from "zod";
import type { OutputPair } from "./pairs.ts";
import { ALPACA_EVAL_SYSTEM, ALPACA_EVAL_USER } from "./prompts/alpaca-eval.ts";
import { fillPrompt } from "./prompts/fill.ts";
import type { JudgeProtocol, JudgeRequest, Verdict } from "./protocol.ts";
import { parsePythonLiteral } from "./python-literal.ts";

/** Of the configuration alpaca_eval_gpt4. */
const MAX_TOKENS = 100;

function ask({ instruction, input, candidate, reference }: OutputPair, seed: number): JudgeRequest | Verdict {
  if (candidate === reference) return "tie";
  const whole = input === "" ? instruction : `${instruction}\n\n${input}`;
  const switched = coin(`${seed}\n${whole}`);
  const [output_1, output_2] = switched ? [reference, candidate] : [candidate, reference];
  const user = fillPrompt(ALPACA_EVAL_USER, { instruction: whole, output_1, output_2 });
  return {
    prompt: {
      messages: [
        { role: "system", content: ALPACA_EVAL_SYSTEM },
        { role: "user", content: user },
      ],
    },
    maxNewTokens: MAX_TOKENS,
    local: {},
    switched,
  };
}

/** Fair, and the same for a text wherever it stands in a file. */
function coin(text: string): boolean {
  return createHash("sha256").update(text).digest()[0]! % 2 === 1;
}

const rankingSchema = z.array(z.looseObject({ model: z.unknown(), rank: z.unknown().optional() }));

/** 1 or 2, the first model's rank in a Python list of dictionaries; undefined for anything else. */
export function readRanking(reply: string): 1 | 2 | undefined {
  const parsed = rankingSchema.safeParse(parsePythonLiteral(reply));
  const rank = parsed.data?.find(({ model }) => model === "model_1")?.rank;
  return rank === 1 || rank === 2 ? rank : undefined;
}

function read(reply: string, { switched }: Pick<JudgeRequest, "switched">): Verdict {
  const rank = readRanking(reply);
  if (rank === undefined) return "unreadable";
  return (rank === 1) === switched ? "lose" : "win";
}

export const ALPACA_EVAL: JudgeProtocol = { name: "alpaca-eval", ask, read, unreadableIsTie: false };
