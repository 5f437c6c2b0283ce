// mteval-v13a's tokenization, as sacrebleu's "13a": what BLEU splits lines by.
import { splitWords } from "../python-text.ts";

const ENTITIES: readonly (readonly [string, string])[] = [
  ["&quot;", '"'],
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
];

const RULES: readonly (readonly [RegExp, string])[] = [
  // Symbols and punctuation of ASCII but for period, comma, dash and apostrophe.
  [/([{-~[-` -&(-+:-@/])/g, " $1 "],
  // Period and comma, unless digits stand on both sides.
  [/([^0-9])([.,])/g, "$1 $2 "],
  [/([.,])([^0-9])/g, " $1 $2"],
  // A dash after a digit.
  [/([0-9])(-)/g, "$1 $2 "],
];

/** A line's tokens. */
export function tokenize13a(line: string): string[] {
  let text = line.replaceAll("<skipped>", "").replaceAll("-\n", "").replaceAll("\n", " ");
  if (text.includes("&"))
    for (const [entity, character] of ENTITIES) text = text.replaceAll(entity, character);
  text = ` ${text} `;
  for (const [pattern, replacement] of RULES) text = text.replace(pattern, replacement);
  return splitWords(text);
}
