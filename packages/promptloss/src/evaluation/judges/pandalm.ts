// PandaLM: the judge continues a text with 1, 2 or Tie on its first line. The candidate is always response 1; whatever
// else the judge says is a tie.
import type { OutputPair } from "./pairs.ts";
import { fillPrompt } from "./prompts/fill.ts";
import { PANDALM_WITH_INPUT, PANDALM_WITHOUT_INPUT } from "./prompts/pandalm.ts";
import type { JudgeProtocol, JudgeRequest, Verdict } from "./protocol.ts";

const MAX_TOKENS = 512;

/** Names of special tokens that PandaLM takes out of outputs before it shows them. */
const SPECIAL =
  /<unk>|<pad>|<s>|<\/s>|\[PAD\]|<\|endoftext\|>|\[UNK\]|\[CLS\]|\[MASK\]|<\|startofpiece\|>|<\|endofpiece\|>|\[gMASK\]|\[sMASK\]/g;

function cleaned(output: string): string {
  return output.trim().replaceAll(SPECIAL, "").trim();
}

function ask({ instruction, input, candidate, reference }: OutputPair): JudgeRequest {
  return {
    prompt: {
      text: fillPrompt(input === "" ? PANDALM_WITHOUT_INPUT : PANDALM_WITH_INPUT, {
        instruction,
        input,
        response_1: cleaned(candidate),
        response_2: cleaned(reference),
      }),
    },
    maxNewTokens: MAX_TOKENS,
    local: { beams: 4, earlyStopping: true, repetitionPenalty: 1.2 },
    switched: false,
  };
}

function read(reply: string): Verdict {
  const [first] = reply.trim().split("\n") as [string];
  if (first === "1") return "win";
  if (first === "2") return "lose";
  return first.toLowerCase() === "tie" ? "tie" : "unreadable";
}

export const PANDALM: JudgeProtocol = { name: "pandalm", ask, read, unreadableIsTie: true };
