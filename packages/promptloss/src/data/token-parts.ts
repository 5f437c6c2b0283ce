// The parts of rows whose losses are told apart. A completion's text and what ends it are two parts, since one may get
// better while the other gets worse; `completion` is the two together wherever it is named.
import { TOKEN_CLASSES, type TokenClass } from "./example.ts";

/**
 * `content` is what the model writes without the stop token and all else that ends it, which is `end`; the rest is
 * `prompt`.
 */
export const TOKEN_PARTS = ["prompt", "content", "end"] as const;

export type TokenPart = (typeof TOKEN_PARTS)[number];

const PARTS: Readonly<Record<TokenClass, TokenPart>> = {
  system: "prompt",
  instruction: "prompt",
  input: "prompt",
  template: "prompt",
  completion: "content",
  end: "end",
  "tool-definition": "prompt",
  "tool-result": "prompt",
  reasoning: "content",
  "tool-call": "content",
};

export function partOfClass(name: TokenClass): TokenPart {
  return PARTS[name];
}

/** The part of each class, by the class's code. */
export const PART_OF_CODE: readonly TokenPart[] = TOKEN_CLASSES.map(partOfClass);
