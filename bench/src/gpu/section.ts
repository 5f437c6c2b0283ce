// The section of docs/BENCHMARKS.md on a GPU, from its figures.
import { markdownTable } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";
import type { GpuCase, Side } from "./cases.ts";

export interface SideFigures {
  readonly version: string;
  readonly speeds: readonly number[];
  /** Bytes. */
  readonly peak: number;
  readonly losses: readonly number[];
}

export interface GpuResult {
  readonly case: GpuCase;
  /** Floating-point operations a token. */
  readonly work: number;
  readonly sides: Partial<Record<Side, SideFigures>>;
  /** Why a side has no figures. */
  readonly failed: Partial<Record<Side, string>>;
}

export interface GpuFigures {
  readonly device: string;
  /** Of bfloat16 products, in floating-point operations a second, and whose figure that is. */
  readonly rate: number;
  readonly rateFrom: "measured" | "given";
  readonly results: readonly GpuResult[];
}

/** Of the medians: how many times TRL's best speed is ours, and which share of its memory. */
export function againstTrl({
  sides: { ours, trlBest },
}: GpuResult): { speed: number; memory: number } | undefined {
  if (ours === undefined || trlBest === undefined) return undefined;
  return { speed: median(ours.speeds) / median(trlBest.speeds), memory: ours.peak / trlBest.peak };
}

/** The largest relative difference of our losses from the bare loop's: same rows, same weights, same order. */
export function lossDifference({ sides: { ours, bare } }: GpuResult): number | undefined {
  if (ours === undefined || bare === undefined) return undefined;
  return Math.max(...ours.losses.map((loss, step) => Math.abs(loss / bare.losses[step]! - 1)));
}

export function sectionOf({ device, rate, rateFrom, results }: GpuFigures): string {
  const versions = new Map(
    results.flatMap(({ sides }) =>
      Object.entries(sides).map(([side, { version }]) => [side, version] as const),
    ),
  );
  const of = (value: number | undefined, digits: number, unit = ""): string =>
    value === undefined ? "" : `${value.toFixed(digits)}${unit}`;
  const rows = results.map((result) => {
    const { case: each, work, sides, failed } = result;
    const cell = (side: Side): string => {
      const found = sides[side];
      if (found === undefined) return failed[side] === undefined ? "" : `none: ${failed[side]}`;
      return `${median(found.speeds).toFixed(0)}, ${(found.peak / 2 ** 30).toFixed(1)} GiB`;
    };
    const own = sides.ours && (median(sides.ours.speeds) * work) / rate;
    const against = againstTrl(result);
    return [
      ...[each.size, each.method, String(each.length), String(each.promptLossWeight)],
      ...[cell("ours"), cell("bare"), cell("trlBest")],
      ...[of(against?.speed, 2), of(against?.memory, 2), of(own && 100 * own, 1, " %")],
      lossDifference(result)?.toExponential(1) ?? "",
    ];
  });
  return [
    "## On a GPU",
    "",
    `\`npm run bench:gpu\` with \`PROMPTLOSS_PYTHON\` naming a Python that has torch with CUDA, trl and peft. ${device}; bfloat16 products ${(rate / 1e12).toFixed(2)} TFLOP/s (${rateFrom}). ${[...versions].map(([side, version]) => `${side}: ${version}`).join("; ")}. LLaMA shapes with drawn weights, rows of drawn ids that are all of one length, three quarters prompt; bf16 with float32 master weights where all is trained. Each side has the card to itself. Tokens/s are medians of rounds, memory is the most that tensors held. Aims: 1.3 times TRL's best speed at least, 0.8 of its memory at most, 45 % of the products' rate at 7 B.`,
    "",
    markdownTable(
      [
        ...["model", "trained", "length", "PLW", "ours", "bare PyTorch", "TRL's best"],
        ...["speed / TRL's", "memory / TRL's", "utilization", "losses differ from bare's by"],
      ],
      rows,
    ),
  ].join("\n");
}
