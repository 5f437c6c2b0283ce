// The section of docs/BENCHMARKS.md on what each kernel earns.
import { cpus } from "node:os";
import type { FusedKernel } from "@promptloss/torch";
import { allocatorWords, loadWords } from "../lib/conditions.ts";
import { markdownTable } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";
import type { Case } from "../training/cases.ts";
import type { SideResult } from "../training/measure.ts";

/** Those of training, and how the names of their files in native/ops begin; shared headers are nobody's. */
export const KERNELS = {
  products: ["products", "linear", "head_products"],
  attention: ["packed_attention", "attention_", "softmax_rows"],
  "cross entropy": ["weighted_cross_entropy", "add_scaled"],
  "RMS norm": ["rms_norm"],
  "rotary embedding": ["rotary_embedding"],
  "SiLU times up": ["silu_mul"],
  AdamW: ["adamw_step"],
} as const satisfies Partial<Record<FusedKernel, readonly string[]>>;

export type Kernel = keyof typeof KERNELS;

export interface Measured extends Pick<Case, "shape" | "precision"> {
  readonly kernel: Kernel;
  readonly with: SideResult;
  readonly without: SideResult;
}

export interface KernelFigures {
  readonly machine: string;
  readonly threads: number;
  readonly data: string;
  readonly model: string;
  /** Of the large model. */
  readonly parameters: number;
  readonly load: readonly [before: number, after: number];
  /** Of C++, without empty ones and comments. */
  readonly lines: Readonly<Record<string, number>>;
  readonly measured: readonly Measured[];
}

/** A step's time and the process's memory with the plain twin, over those with the kernel. */
export function earned({ with: fused, without: plain }: Measured): string {
  const time = median(fused.speeds.map((speed, round) => speed / plain.speeds[round]!));
  return `${time.toFixed(2)}, ${(plain.peak / fused.peak).toFixed(2)}`;
}

export function sectionOf(figures: KernelFigures): string {
  const { measured, lines, machine, threads, data, model, parameters, load } = figures;
  const cases = [...new Map(measured.map((each) => [`${each.shape}, ${each.precision}`, each])).entries()];
  const rows = Object.entries(lines).map(([kernel, count]) => [
    kernel,
    String(count),
    ...cases.map(([, { shape, precision }]) => {
      const found = measured.find(
        (each) => each.kernel === kernel && each.shape === shape && each.precision === precision,
      );
      return found === undefined ? "—" : earned(found);
    }),
  ]);
  return [
    "## What each kernel earns",
    "",
    `\`npm run bench:kernels -- ALPACA_JSON MODEL_FOLDER\`, here with ${data} on ${machine}, ${threads} threads, ${loadWords(load, cpus().length)}. ${allocatorWords("tuned")}`,
    "",
    `Each kernel is switched off by itself, and libtorch's operators compute in its place. Two processes, one with it and one without, take turns at the same steps: full fine-tuning at prompt loss weight 0.1. A cell has the time of a step without the kernel over that with it (median of the rounds' ratios), and the same of the process's peak memory: above 1 the kernel earns something. small: ${model}; large: a LLaMA of ${parameters.toLocaleString("en-US")} parameters with random weights. Lines are those of C++ that are neither empty nor comments, for all processors.`,
    "",
    markdownTable(["kernel", "lines", ...cases.map(([name]) => `${name}: time, memory`)], rows),
  ].join("\n");
}
