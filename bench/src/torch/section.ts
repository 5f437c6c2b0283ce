// The section of docs/BENCHMARKS.md on the binding, from its figures.
import { type Allocator, allocatorWords } from "../lib/conditions.ts";
import { markdownTable } from "../lib/report.ts";
import { median, spread } from "../lib/statistics.ts";
import type { Case } from "./cases.ts";

export interface Result {
  case: Case;
  /** Nanoseconds an iteration, a round each. */
  ours: number[];
  python: number[];
}

export interface Figures {
  readonly machine: string;
  readonly threads: number;
  readonly allocator?: Allocator;
  readonly ours: { readonly version: string };
  readonly python: { readonly version: string };
  readonly rounds: number;
  readonly results: readonly Result[];
}

export function row({ case: { title, flop, aim }, ours, python }: Result): string[] {
  const show = (ns: number): string =>
    flop === undefined ? `${(ns / 1000).toFixed(2)} µs` : `${(flop / ns / 1000).toFixed(2)} TFLOP/s`;
  const ratio = median(ours.map((ns, i) => ns / (python[i] as number)));
  const noise = `${(100 * spread(ours)).toFixed(0)} %, ${(100 * spread(python)).toFixed(0)} %`;
  return [title, show(median(ours)), show(median(python)), ratio.toFixed(2), noise, aim];
}

export function sectionOf({ machine, threads, allocator, ours, python, rounds, results }: Figures): string {
  return [
    "## The binding against Python's torch",
    "",
    `\`npm run bench:torch\` with \`PROMPTLOSS_PYTHON\` naming a Python that has torch. ${machine}, ${threads} threads, libtorch ${ours.version} (ours) and ${python.version} (Python's). Medians of ${rounds} rounds in which the two take turns; the ratio is the median of the rounds' ratios of times, below 1 where ours is faster. ${allocatorWords(allocator)}`,
    "",
    markdownTable(["case", "ours", "Python", "ratio", "spread (ours, Python)", "aim"], results.map(row)),
  ].join("\n");
}
