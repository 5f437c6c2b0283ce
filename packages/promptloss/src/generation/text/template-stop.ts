// The stop token that a template ends completions with, which training taught the model to write.

import type { ConversationExample } from "../../data/example.ts";
import { plainTurn } from "../../data/rows/formats/turns.ts";
import type { Template } from "../../data/templates/index.ts";
import { TemplateError } from "../../data/templates/index.ts";
import type { Tokenizer } from "../../data/tokenizer/index.ts";

const PROBE: ConversationExample = {
  kind: "conversation",
  turns: [plainTurn("user", "?"), plainTurn("assistant", "!")],
  source: { file: "probe", row: 1 },
};

/** As text; undefined for a template that ends completions with nothing. */
export function templateStop(template: Template): string | undefined {
  try {
    const [rendering] = template.render(PROBE, "last");
    const end = rendering?.spans.findLast((span) => span.class === "end");
    return end === undefined ? undefined : rendering!.text.slice(end.start, end.end);
  } catch (error) {
    // A template may refuse this conversation; it is judged by the prompts themselves.
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

/** The id of a special token by its text; undefined for texts that are no special token. */
export function specialId(
  tokenizer: Pick<Tokenizer, "specialTexts" | "idOf">,
  text: string,
): number | undefined {
  return tokenizer.specialTexts.includes(text) ? tokenizer.idOf(text) : undefined;
}
