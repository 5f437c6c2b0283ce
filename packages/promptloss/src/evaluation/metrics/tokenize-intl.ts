// sacrebleu's "intl" tokenization: punctuation apart from words unless digits touch it, symbols always, by Unicode's
// categories; and "none", which splits at white space alone.
import { splitWords } from "../python-text.ts";

export function tokenizeIntl(line: string): string[] {
  return splitWords(
    line
      .replaceAll(/(\P{N})(\p{P})/gu, "$1 $2 ")
      .replaceAll(/(\p{P})(\P{N})/gu, " $1 $2")
      .replaceAll(/(\p{S})/gu, " $1 "),
  );
}

export function tokenizeNone(line: string): string[] {
  return splitWords(line);
}
