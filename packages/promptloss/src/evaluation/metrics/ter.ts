// Translation edit rate (Snover et al., 2006) as sacrebleu computes it by default: words in lower case, edits are
// insertions, deletions, substitutions and shifts of phrases, each of cost 1. Shifts are searched greedily within
// Tercom's limits; of equal shifts the longest wins, then the earliest, then the one that goes furthest to the front.
import { splitWords } from "../python-text.ts";
import { type Alignment, alignment, EditTable } from "./edit-table.ts";
import { sumStatistics } from "./sum-statistics.ts";

const LONGEST_SHIFT = 10;
const FURTHEST_SHIFT = 50;
/** Shifts tried for a sentence before the search ends. */
const MOST_CANDIDATES = 1000;

function words(line: string): string[] {
  return splitWords(line.toLowerCase());
}

/** Edits to the nearest reference, and the references' average length. */
export function terStatistics(hypothesis: string, references: readonly string[]): number[] {
  const given = words(hypothesis);
  const wanted = references.map(words);
  const edits = Math.min(...wanted.map((reference) => editsOf(given, reference)));
  return [edits, wanted.reduce((sum, { length }) => sum + length, 0) / wanted.length];
}

/** 0 and up, in percent; lower is better. @param sums of the statistics of a corpus' hypotheses */
export function terOf(sums: readonly number[]): number {
  const [edits, length] = sums as [number, number];
  if (length > 0) return (100 * edits) / length;
  return edits > 0 ? 100 : 0;
}

function editsOf(given: readonly string[], wanted: readonly string[]): number {
  if (wanted.length === 0) return given.length;
  const budget = { left: MOST_CANDIDATES };
  let present = given;
  let shifts = 0;
  for (;;) {
    const found = bestShift(present, wanted, budget);
    if (budget.left <= 0 || found === undefined || found.gain <= 0) break;
    shifts++;
    present = found.words;
  }
  return shifts + new EditTable(present, wanted).distance;
}

interface Shift {
  readonly gain: number;
  readonly length: number;
  readonly start: number;
  readonly target: number;
  readonly words: readonly string[];
}

function bestShift(
  given: readonly string[],
  wanted: readonly string[],
  budget: { left: number },
): Shift | undefined {
  const table = new EditTable(given, wanted);
  const aligned = alignment(table.trace());
  let best: Shift | undefined;
  for (const [start, at, length] of commonPhrases(given, wanted)) {
    if (!isWorthTrying(aligned, start, at, length)) continue;
    let last = -1;
    for (let offset = -1; offset < length; offset++) {
      const before = at + offset === -1 ? -1 : aligned.places[at + offset];
      if (before === undefined) break;
      const target = before + 1;
      if (target === last) continue;
      last = target;
      const shifted = shift(given, start, length, target);
      const gain = table.distance - new EditTable(shifted, wanted).distance;
      const candidate = { gain, length, start, target, words: shifted };
      if (best === undefined || isBetter(candidate, best)) best = candidate;
      budget.left--;
    }
    if (budget.left <= 0) break;
  }
  return best;
}

/** A phrase that is wrong where it is, whose place in the reference is wrong too, and not inside of itself. */
function isWorthTrying(
  { places, wrongGiven, wrongWanted }: Alignment,
  start: number,
  at: number,
  length: number,
): boolean {
  const any = (flags: readonly boolean[], from: number): boolean =>
    flags.slice(from, from + length).includes(true);
  const place = places[at]!;
  return any(wrongGiven, start) && any(wrongWanted, at) && !(start <= place && place < start + length);
}

function isBetter(a: Shift, b: Shift): boolean {
  return (a.gain - b.gain || a.length - b.length || b.start - a.start || b.target - a.target) > 0;
}

/** Start in the hypothesis, start in the reference, length: of every length that both share. */
function* commonPhrases(
  given: readonly string[],
  wanted: readonly string[],
): Generator<[start: number, at: number, length: number]> {
  for (let start = 0; start < given.length; start++)
    for (let at = 0; at < wanted.length; at++) {
      if (Math.abs(at - start) > FURTHEST_SHIFT) continue;
      for (let length = 0; length < LONGEST_SHIFT; ) {
        if (start + length >= given.length || at + length >= wanted.length) break;
        if (given[start + length] !== wanted[at + length]) break;
        length++;
        yield [start, at, length];
      }
    }
}

/** Takes a phrase out and puts it before what stood at the target; a target inside of it counts behind the phrase. */
function shift(given: readonly string[], start: number, length: number, target: number): string[] {
  const phrase = given.slice(start, start + length);
  const rest = [...given.slice(0, start), ...given.slice(start + length)];
  const place = target < start ? target : target > start + length ? target - length : target;
  return [...rest.slice(0, place), ...phrase, ...rest.slice(place)];
}

/** TER of a corpus, 0 and up, in percent. @param references of each hypothesis, one or more */
export function corpusTer(hypotheses: readonly string[], references: readonly (readonly string[])[]): number {
  return terOf(sumStatistics(hypotheses.map((each, i) => terStatistics(each, references[i]!))));
}
