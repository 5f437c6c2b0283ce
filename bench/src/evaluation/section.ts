// The section of docs/BENCHMARKS.md on evaluation, from its figures.
import { type Allocator, allocatorWords } from "../lib/conditions.ts";
import { markdownTable } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";
import type { Request } from "./protocol.ts";

export interface Result {
  readonly task: string;
  readonly dtype: Request["dtype"];
  readonly ours: number[];
  readonly harness: number[];
  readonly metrics: readonly { readonly name: string; readonly ours: number; readonly harness: number }[];
  /** The largest difference of two log-likelihoods. */
  readonly difference: number;
}

export interface Figures {
  readonly machine: string;
  /** The folder's name. */
  readonly model: string;
  readonly threads: number;
  readonly allocator?: Allocator;
  readonly ours: { readonly version: string };
  readonly harness: { readonly version: string };
  /** Items of each task. */
  readonly limit: number;
  readonly rounds: number;
  readonly results: readonly Result[];
}

export function row({ task, dtype, ours, harness, metrics, difference }: Result): string[] {
  const ratio = median(ours.map((seconds, i) => harness[i]! / seconds));
  const shown = (pick: "ours" | "harness"): string =>
    metrics.map((metric) => `${metric.name} ${metric[pick].toFixed(4)}`).join(", ");
  const time = (seconds: number[]): string => `${median(seconds).toFixed(1)} s`;
  return [
    ...[task, dtype, shown("ours"), shown("harness"), difference.toExponential(1)],
    ...[time(ours), time(harness), ratio.toFixed(2)],
  ];
}

export function sectionOf(figures: Figures): string {
  const { machine, model, threads, allocator, ours, harness, limit, rounds, results } = figures;
  return [
    "## Evaluation against lm-evaluation-harness",
    "",
    `\`npm run bench:evaluation -- EVAL_DATA MODEL\` with \`PROMPTLOSS_PYTHON\` naming a Python that has lm_eval; here MODEL is ${model}. ${machine}, ${threads} threads a side, libtorch ${ours.version} (ours), lm_eval ${harness.version}, its Hugging Face backend with batches of 16. The first ${limit} items of each task, without examples. Ours loads the model each time; the harness keeps it. Medians of ${rounds} rounds in which the two take turns, after one of warm-up; the ratio is the median of the rounds' ratios, above 1 where ours is faster. ${allocatorWords(allocator)} In bfloat16 the harness takes the softmax of logits and the sum over a choice in bfloat16 too, ours both in float32: with 8 bits, a sum of some hundreds is known to a unit or two.`,
    "",
    markdownTable(
      [
        ...["task", "dtype", "ours", "lm-eval", "largest difference of log-likelihoods"],
        ...["ours", "lm-eval", "lm-eval ÷ ours"],
      ],
      results.map(row),
    ),
  ].join("\n");
}
