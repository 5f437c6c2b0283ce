// The section of docs/BENCHMARKS.md on weights in few bits, from its figures.
import { markdownTable } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";
import type { TrainingFigures } from "./training.ts";

export interface Timed {
  readonly seconds: number;
  readonly processorSeconds: number;
}

export interface Run {
  readonly model: string;
  readonly weights: string;
  readonly batchSize: number;
  readonly figures: TrainingFigures;
  readonly aim: string;
}

export interface Generation {
  /** The file's name, and its bytes. */
  readonly file: string;
  readonly bytes: number;
  readonly tokens: number;
  /** The first time, and once its copy is in the cache. */
  readonly loads: readonly Timed[];
  readonly ours: readonly Timed[];
  readonly llamaCpp: readonly Timed[];
  /** First tokens that are the same on both sides. */
  readonly equal: number;
}

export interface Figures {
  readonly machine: string;
  readonly threads: number;
  /** The file's name. */
  readonly data: string;
  /** Of the machine, before and after. */
  readonly load: readonly [before: number, after: number];
  readonly runs: readonly Run[];
  readonly generation?: Generation;
}

function runRow({ model, weights, batchSize, figures, aim }: Run): string[] {
  // The first step touches every weight for the first time.
  const steps = figures.steps.slice(1);
  const speed = median(steps.map(({ tokens, seconds }) => tokens / seconds));
  const cost = median(steps.map(({ tokens, processorSeconds }) => (1000 * processorSeconds) / tokens));
  return [
    ...[model, weights, String(batchSize), `${(figures.peak / 1e9).toFixed(2)} GB`, speed.toFixed(1)],
    ...[cost.toFixed(1), figures.loadSeconds.toFixed(1), aim],
  ];
}

function generationLines({ file, bytes, tokens, loads, ours, llamaCpp, equal }: Generation): string[] {
  const row = (name: string, times: readonly Timed[]): string[] => [
    name,
    (tokens / median(times.map(({ seconds }) => seconds))).toFixed(1),
    ((1000 * median(times.map(({ processorSeconds }) => processorSeconds))) / tokens).toFixed(0),
  ];
  const ratio =
    llamaCpp.length === 0
      ? []
      : [
          "",
          `Median of the rounds' ratios of times, below 1 where ours is faster: ${median(ours.map(({ seconds }, i) => seconds / llamaCpp[i]!.seconds)).toFixed(2)}; of processor time: ${median(ours.map(({ processorSeconds }, i) => processorSeconds / llamaCpp[i]!.processorSeconds)).toFixed(2)}. The first ${equal} of ${tokens} tokens are the same.`,
        ];
  return [
    "",
    `${file}, ${(bytes / 1e6).toFixed(0)} MB: loaded in ${loads.map(({ seconds }) => seconds.toFixed(1)).join(" s the first time and ")} s after it (aim: below 5), ${loads.map(({ processorSeconds }) => processorSeconds.toFixed(1)).join(" and ")} s of processor time. One sequence, greedy, ${tokens} new tokens, in ${ours.length} rounds in which the two take turns:`,
    "",
    markdownTable(
      ["", "tokens/s", "ms of processor time a token"],
      [row("ours", ours), ...(llamaCpp.length === 0 ? [] : [row("llama.cpp", llamaCpp)])],
    ),
    ...ratio,
  ];
}

export function sectionOf({ machine, threads, data, load, runs, generation }: Figures): string {
  return [
    "## Weights in few bits",
    "",
    `\`npm run bench:few-bits -- ALPACA_JSON TOKENIZER_FOLDER MODEL.gguf\` with \`PROMPTLOSS_LLAMA_CPP\` naming a folder that has node-llama-cpp; here with ${data}. ${machine}, ${threads} threads; load average ${load[0].toFixed(1)} before, ${load[1].toFixed(1)} after: where the first is far above 0, the machine was busy with other work, and processor time says more than tokens/s. Random weights, LoRA of rank 16 on all linear modules, products in bf16, micro-batches of 512 tokens, no gradient checkpointing; each run is a process of its own, and all run at once, so that a noisy machine disturbs all alike. Peak is resident memory, mapped files included.`,
    "",
    markdownTable(
      [
        "model",
        "weights",
        "rows a batch",
        "peak",
        "tokens/s",
        "processor s for 1,000 tokens",
        "s to the first step",
        "aim",
      ],
      runs.map(runRow),
    ),
    ...(generation === undefined ? [] : generationLines(generation)),
  ].join("\n");
}
