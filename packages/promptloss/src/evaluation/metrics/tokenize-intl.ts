// sacrebleu's "intl" tokenisation: punctuation apart from words unless digits touch it, symbols always, by Unicode's
// categories; and "none", which splits at white space alone.
import { splitWords } from "../python-text.ts";

export const tokenizeIntl = (line: string): string[] =>
  splitWords(
    line
      .replaceAll(/(\P{N})(\p{P})/gu, "$1 $2 ")
      .replaceAll(/(\p{P})(\P{N})/gu, " $1 $2")
      .replaceAll(/(\p{S})/gu, " $1 "),
  );

export const tokenizeNone = (line: string): string[] => splitWords(line);
