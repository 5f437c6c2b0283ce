// sacrebleu's "intl" tokenisation: punctuation apart from words unless digits touch it, symbols always, by Unicode's
// categories; and "none", which splits at white space alone.

export const tokenizeIntl = (line: string): string[] =>
  line
    .replaceAll(/(\P{N})(\p{P})/gu, "$1 $2 ")
    .replaceAll(/(\p{P})(\P{N})/gu, " $1 $2")
    .replaceAll(/(\p{S})/gu, " $1 ")
    .split(/\s+/u)
    .filter((token) => token !== "");

export const tokenizeNone = (line: string): string[] => line.split(/\s+/u).filter((token) => token !== "");
