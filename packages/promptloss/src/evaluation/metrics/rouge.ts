// ROUGE-1, -2, -L and -Lsum (Lin, 2004) as Google's rouge_score computes them without stemming: F-measures over words
// of a to z and 0 to 9 in lower case; Lsum takes the union of the longest common subsequences of each line.

/** 0 to 1. */
export type RougeScore = number;

export function rougeWords(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
}

function fMeasure(common: number, given: number, wanted: number): RougeScore {
  const [precision, recall] = [common / Math.max(given, 1), common / Math.max(wanted, 1)];
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}

function countGrams(words: readonly string[], order: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + order <= words.length; i++) {
    const gram = words.slice(i, i + order).join(" ");
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

export function rougeN(order: number, answer: string, reference: string): RougeScore {
  const [given, wanted] = [answer, reference].map((text) => countGrams(rougeWords(text), order)) as [
    Map<string, number>,
    Map<string, number>,
  ];
  let common = 0;
  for (const [gram, count] of wanted) common += Math.min(count, given.get(gram) ?? 0);
  return fMeasure(common, total(given), total(wanted));
}

export function rougeL(answer: string, reference: string): RougeScore {
  const [given, wanted] = [rougeWords(answer), rougeWords(reference)];
  return fMeasure(commonPlaces(wanted, given).length, given.length, wanted.length);
}

/** Lines are sentences. */
export function rougeLsum(answer: string, reference: string): RougeScore {
  const sentences = (text: string): string[][] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map(rougeWords);
  const [given, wanted] = [sentences(answer), sentences(reference)];
  const left = { given: countGrams(given.flat(), 1), wanted: countGrams(wanted.flat(), 1) };
  let hits = 0;
  for (const sentence of wanted) {
    const union = new Set(given.flatMap((each) => commonPlaces(sentence, each)));
    for (const place of [...union].sort((a, b) => a - b)) {
      const word = sentence[place]!;
      const [inGiven, inWanted] = [left.given.get(word) ?? 0, left.wanted.get(word) ?? 0];
      if (inGiven === 0 || inWanted === 0) continue;
      hits++;
      left.given.set(word, inGiven - 1);
      left.wanted.set(word, inWanted - 1);
    }
  }
  return fMeasure(hits, given.flat().length, wanted.flat().length);
}

/** Places in the reference of one longest common subsequence: of several the one met first from the end. */
function commonPlaces(reference: readonly string[], answer: readonly string[]): number[] {
  const width = answer.length + 1;
  const table = new Int32Array((reference.length + 1) * width);
  for (let i = 1; i <= reference.length; i++)
    for (let j = 1; j <= answer.length; j++)
      table[i * width + j] =
        reference[i - 1] === answer[j - 1]
          ? table[(i - 1) * width + j - 1]! + 1
          : Math.max(table[(i - 1) * width + j]!, table[i * width + j - 1]!);
  const places: number[] = [];
  for (let i = reference.length, j = answer.length; i > 0 && j > 0; )
    if (reference[i - 1] === answer[j - 1]) {
      places.unshift(i - 1);
      [i, j] = [i - 1, j - 1];
    } else if (table[i * width + j - 1]! > table[(i - 1) * width + j]!) j--;
    else i--;
  return places;
}
