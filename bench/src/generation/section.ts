// The section of docs/BENCHMARKS.md on generation, from its figures.
import { type Allocator, allocatorWords } from "../lib/conditions.ts";
import { markdownTable } from "../lib/report.ts";
import { median, spread } from "../lib/statistics.ts";
import { type Case, TOKENS } from "./cases.ts";

export interface Result {
  case: Case;
  /** Seconds, a round each. */
  ours: number[];
  python: number[];
  /** First tokens that are the same on both sides. */
  equal: number;
}

export interface Figures {
  readonly machine: string;
  /** The folder's name. */
  readonly model: string;
  readonly threads: number;
  readonly allocator?: Allocator;
  readonly ours: { readonly version: string };
  readonly python: { readonly version: string };
  readonly rounds: number;
  readonly results: readonly Result[];
}

export function row({ case: { name, batch }, ours, python, equal }: Result): string[] {
  const rate = (seconds: number[]): string => `${((TOKENS * batch) / median(seconds)).toFixed(0)} tokens/s`;
  const ratio = median(ours.map((seconds, i) => seconds / python[i]!));
  const noise = `${(100 * spread(ours)).toFixed(0)} %, ${(100 * spread(python)).toFixed(0)} %`;
  return [name, rate(ours), rate(python), ratio.toFixed(2), noise, `${equal} of ${TOKENS}`];
}

export function sectionOf({
  machine,
  model,
  threads,
  allocator,
  ours,
  python,
  rounds,
  results,
}: Figures): string {
  return [
    "## Generation against transformers",
    "",
    `\`npm run bench:generation -- FOLDER\` with \`PROMPTLOSS_PYTHON\` naming a Python that has transformers; here FOLDER is ${model}. ${machine}, ${threads} threads, libtorch ${ours.version} (ours), torch ${python.version}. Greedy, ${TOKENS} new tokens a sequence, prompt included in the time. Medians of ${rounds} rounds in which the two take turns; the ratio is the median of the rounds' ratios of times, below 1 where ours is faster. ${allocatorWords(allocator)}`,
    "",
    markdownTable(
      ["case", "ours", "transformers", "ratio", "spread (ours, transformers)", "equal tokens"],
      results.map(row),
    ),
  ].join("\n");
}
