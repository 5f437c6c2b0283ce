// A row's tokens in runs whose weight is one whatever the prompt loss weight is, and tokens as they are shown.
import { TOKEN_CLASSES, type TokenClass } from "../../../packages/promptloss/src/data/example.ts";
import type { TokenRow } from "../../../packages/promptloss/src/studio/weights/answer.ts";
import { visible } from "../../../packages/promptloss/src/terminal/visible.ts";

export interface TokenRun {
  readonly name: TokenClass;
  /** Places in the row, the last one excluded. */
  readonly from: number;
  readonly to: number;
}

/** Tokens of one class and one weight of the data stand together. */
export function runsOf({ classes, partWeights, scales }: TokenRow): TokenRun[] {
  const runs: TokenRun[] = [];
  const isAlike = (a: number, b: number): boolean =>
    classes[a] === classes[b] && partWeights?.[a] === partWeights?.[b] && scales?.[a] === scales?.[b];
  for (let from = 0, to = 0; from < classes.length; from = to) {
    to = from + 1;
    while (to < classes.length && isAlike(from, to)) to++;
    runs.push({ name: TOKEN_CLASSES[classes[from]!]!, from, to });
  }
  return runs;
}

/** A token's text with what has no shape made visible; a line break is shown and made. */
export function shownText(text: string): string {
  return visible(text).replaceAll("⏎", "⏎\n");
}

/** What a class of tokens is to a reader. */
export const CLASS_WORDS: Readonly<Record<TokenClass, string>> = {
  system: "system message",
  instruction: "prompt, instruction",
  input: "prompt, input",
  template: "prompt, template",
  completion: "completion",
  end: "stop token",
  "tool-definition": "prompt, tool definition",
  "tool-result": "prompt, tool result",
  reasoning: "completion, reasoning",
  "tool-call": "completion, tool call",
};
