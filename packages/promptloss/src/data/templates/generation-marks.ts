// {% generation %} in a chat template: what its author says an assistant writes. The marks are read by rendering the
// template with characters in their place, and compared with where the model takes over and stops by promptloss's own
// rule, which needs no marks.
import { BoundedJinja } from "./bounded-jinja.ts";
import type { Target } from "./rendering.ts";

const TAG = /\{%(-?)\s*(end)?generation\s*(-?)%\}/g;
const [BEGIN, END] = ["\ue0f4", "\ue0f5"];

/** A template with characters for its generation marks; undefined where it has none. */
export function markedTemplate(source: string): BoundedJinja | undefined {
  if (source.search(TAG) < 0) return undefined;
  // A block, so that the white space around it goes as around the tag itself.
  return new BoundedJinja(
    source.replace(
      TAG,
      (_, left: string, end: string | undefined, right: string) =>
        `{%${left} if true %}{{ '${end === undefined ? BEGIN : END}' }}{% endif ${right}%}`,
    ),
  );
}

export interface MarkedRange {
  readonly start: number;
  readonly end: number;
}

/** The marked ranges of a rendering with marks; undefined where it is another text without them. */
export function markedRanges(marked: string, text: string): MarkedRange[] | undefined {
  const ranges: MarkedRange[] = [];
  let plain = "";
  let start = 0;
  for (const piece of marked.split(/([\ue0f4\ue0f5])/)) {
    if (piece === BEGIN) start = plain.length;
    else if (piece === END) ranges.push({ start, end: plain.length });
    else plain += piece;
  }
  return plain.startsWith(text) ? ranges : undefined;
}

/**
 * What differs between the marks and the trained turns, in words: a line for each turn that differs.
 * @param all whether all of the assistant's turns are trained, so that other marks are a difference too
 */
export function markDifferences(
  text: string,
  ranges: readonly MarkedRange[],
  targets: readonly Target[],
  all: boolean,
): string[] {
  const show = (start: number, end: number): string => JSON.stringify(text.slice(start, end));
  const lines: string[] = [];
  for (const { turn, start, end } of targets) {
    const over = ranges.filter((range) => range.start < end && start < range.end);
    const [first] = over;
    const last = over.at(-1);
    const parts: string[] = [];
    if (first === undefined || last === undefined) parts.push("do not cover it");
    else {
      if (first.start > start) parts.push(`begin behind ${show(start, first.start)}`);
      if (first.start < start) parts.push(`take in ${show(first.start, start)} of the prompt`);
      if (last.end < end) parts.push(`leave out ${show(last.end, end)} at its end`);
      if (last.end > end) parts.push(`take in ${show(end, last.end)} behind it`);
      for (const [i, { end: from }] of over.slice(0, -1).entries())
        parts.push(`leave out ${show(from, over[i + 1]!.start)}`);
    }
    if (parts.length > 0) lines.push(`turn ${turn + 1}: they ${parts.join(", and ")}`);
  }
  const others = ranges.filter((range) =>
    targets.every(({ start, end }) => range.end <= start || end <= range.start),
  );
  if (all && others.length > 0)
    lines.push(`they cover ${show(others[0]!.start, others[0]!.end)}, which is no trained turn`);
  return lines;
}
