// The parts of rows whose losses are told apart. A completion's text and what ends it are two parts, since one may get
// better while the other gets worse; `completion` is the two together wherever it is named.
import { TOKEN_CLASSES, type TokenClass } from "./example.ts";

/** `content` is the completion without the stop token and all else that ends it, which is `end`; the rest is `prompt`. */
export const TOKEN_PARTS = ["prompt", "content", "end"] as const;

export type TokenPart = (typeof TOKEN_PARTS)[number];

export function partOfClass(name: TokenClass): TokenPart {
  if (name === "completion") return "content";
  return name === "end" ? "end" : "prompt";
}

/** The part of each class, by the class's code. */
export const PART_OF_CODE: readonly TokenPart[] = TOKEN_CLASSES.map(partOfClass);
