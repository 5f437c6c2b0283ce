// Exact match, and F1 over words as SQuAD (Rajpurkar et al., 2016) has it.
import { PUNCTUATION, splitWords, WORD } from "../python-text.ts";

export function exactMatch(answer: string, reference: string): number {
  return answer === reference ? 1 : 0;
}

const ARTICLES = new RegExp(`(?<![${WORD}])(?:an?|the)(?![${WORD}])`, "gu");

/** Lower case, without punctuation and articles. */
function words(text: string): string[] {
  const letters = [...text.toLowerCase()].filter((letter) => !PUNCTUATION.has(letter)).join("");
  return splitWords(letters.replaceAll(ARTICLES, " "));
}

/** 0 to 1. */
export function wordF1(answer: string, reference: string): number {
  const [given, wanted] = [words(answer), words(reference)];
  if (given.length === 0 || wanted.length === 0) return given.length === wanted.length ? 1 : 0;
  const left = new Map<string, number>();
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1);
  let common = 0;
  for (const word of given) {
    const count = left.get(word) ?? 0;
    if (count === 0) continue;
    left.set(word, count - 1);
    common++;
  }
  if (common === 0) return 0;
  const [precision, recall] = [common / given.length, common / wanted.length];
  return (2 * precision * recall) / (precision + recall);
}
