// The section of docs/BENCHMARKS.md: what was measured, speeds, memory and losses.
import { type Allocator, allocatorWords, loadWords } from "../lib/conditions.ts";
import { markdownTable } from "../lib/report.ts";
import { median, spread } from "../lib/statistics.ts";
import { BATCH, LEARNING_RATE, LORA_RANK, MAX_LENGTH, type Shape } from "./cases.ts";
import { lossDifference, type Result, ratioOf, type SideResult } from "./measure.ts";

export interface Setting {
  readonly machine: string;
  readonly threads: number;
  readonly data: string;
  readonly model: string;
  /** What followed the command's files. */
  readonly flags: string;
  /** What the processor's bfloat16 units do in a second, operands in registers; 0 where it has none. */
  readonly peak: number;
  /** Parameters of the shapes that were drawn. */
  readonly parameters: Partial<Record<Shape, number>>;
  /** Names the processor where its table stands beside that of another. */
  readonly processor?: string;
  readonly allocator?: Allocator;
  /** The first case of each shape once more, every side with its allocator as it comes. */
  readonly asItComes?: readonly Result[];
  /** Load average of the last minute, before and after. */
  readonly load: readonly [number, number];
}

const NONE = "—";

/** What both tables begin with. */
const COLUMNS = [
  "shape, trained, precision, prompt loss weight",
  ...["ours", "bare", "TRL", "TRL, best"],
  ...["ours ÷ bare", "ours ÷ TRL"],
];

const SPEED_COLUMNS = [...COLUMNS, "ours ÷ TRL, best", "ours, share of peak", "bare, share of peak"];

export function nameOf({ case: { shape, lora, precision, promptLossWeight } }: Result): string {
  return `${shape}, ${lora ? "LoRA" : "full"}, ${precision}, ${promptLossWeight}`;
}

/** Work of products a second as a share of the processor's; none in float32, nor where masked tokens skip some. */
export function shareOfPeak(
  { case: { precision, promptLossWeight }, sides }: Result,
  side: "ours" | "bare",
  peak: number,
): string {
  const [work, speeds] = [sides.ours?.work, sides[side]?.speeds];
  if (
    work === undefined ||
    speeds === undefined ||
    peak === 0 ||
    precision === "float32" ||
    promptLossWeight === 0
  )
    return NONE;
  return `${((100 * median(speeds) * work) / peak).toFixed(0)} %`;
}

/** Tokens a second and half their range. */
export function rateOf(side: SideResult | undefined): string {
  return side === undefined
    ? NONE
    : `${median(side.speeds).toFixed(0)} ±${(50 * spread(side.speeds)).toFixed(0)} %`;
}

export function times(ratio: number | undefined): string {
  return ratio === undefined ? NONE : ratio.toFixed(2);
}

export function speedRow(result: Result, peak: number): string[] {
  const { ours, bare, trl, trlBest } = result.sides;
  return [
    nameOf(result),
    ...[ours, bare, trl, trlBest].map(rateOf),
    ...(["bare", "trl", "trlBest"] as const).map((side) => times(ratioOf(result, side))),
    ...(["ours", "bare"] as const).map((side) => shareOfPeak(result, side, peak)),
  ];
}

function memoryRow(result: Result): string[] {
  const { ours, bare, trl, trlBest } = result.sides;
  const size = (side: SideResult | undefined): string =>
    side === undefined ? NONE : `${(side.peak / 1e6).toFixed(0)} MB`;
  const share = (side: SideResult | undefined): string => times(side && ours!.peak / side.peak);
  const difference = (side: "bare" | "trl"): string => lossDifference(result, side)?.toExponential(1) ?? NONE;
  return [
    nameOf(result),
    ...[ours, bare, trl, trlBest].map(size),
    ...[bare, trl].map(share),
    ...(["bare", "trl"] as const).map(difference),
  ];
}

/** What masking the prompt saves: speed at weight 0 over that at 1, by shape, kind and precision. */
function maskingGains(results: readonly Result[]): string[] {
  return results
    .filter(({ case: { promptLossWeight } }) => promptLossWeight === 0)
    .flatMap((masked) => {
      const { shape, lora, precision } = masked.case;
      const unmasked = results.find(
        ({ case: other }) =>
          other.shape === shape &&
          other.lora === lora &&
          other.precision === precision &&
          other.promptLossWeight === 1,
      );
      if (unmasked === undefined) return [];
      const gain = median(masked.sides.ours!.speeds) / median(unmasked.sides.ours!.speeds);
      return [`${shape}, ${lora ? "LoRA" : "full"}, ${precision}: ${gain.toFixed(2)}`];
    });
}

/** What the same commands do without the allocator's settings. */
function allocatorTable({ asItComes = [], peak }: Setting): string[] {
  if (asItComes.length === 0) return [];
  return [
    "With glibc's allocator as it comes, on every side:",
    "",
    markdownTable(
      SPEED_COLUMNS,
      asItComes.map((result) => speedRow(result, peak)),
    ),
    "",
  ];
}

/** Where and with what it was measured. */
export function circumstances(
  results: readonly Result[],
  { machine, threads, allocator, load, peak }: Setting,
): string {
  const versions = new Set(
    results.flatMap(({ sides }) => Object.entries(sides).map(([side, { version }]) => `${side}: ${version}`)),
  );
  const units = peak === 0 ? "" : `; its bf16 units do ${(peak / 1e12).toFixed(2)} TFLOP/s`;
  return `${machine}, ${threads} threads a side${units}; ${loadWords(load, threads)}. ${[...versions].join("; ")}. ${allocatorWords(allocator)}`;
}

export function shapeName(shape: Shape, model: string, parameters: Setting["parameters"]): string {
  return shape === "small"
    ? model
    : `a LLaMA of ${parameters[shape]?.toLocaleString("en-US")} parameters with random weights`;
}

export const PEAK_WORDS =
  "Share of peak: the work of products, 6 operations a weight and token and 4 where it is frozen, attention's not counted, over what the processor's bf16 units do with operands in registers.";

export function sectionOf(results: readonly Result[], setting: Setting): string {
  const { data, model, flags, processor, peak, parameters } = setting;
  const rounds = results[0]?.sides.ours?.speeds.length ?? 0;
  const measured = [...new Set(results.map(({ case: { shape } }) => shape))];
  const gains = maskingGains(results);
  return [
    `## Training against TRL and a bare PyTorch loop${processor === undefined ? "" : `, ${processor}`}`,
    "",
    `\`npm run bench:training -- ALPACA_JSON MODEL_FOLDER${flags}\` with \`PROMPTLOSS_PYTHON\` naming a Python that has trl, peft and datasets; here with ${data}. ${circumstances(results, setting)}`,
    "",
    `${measured.map((shape) => `${shape}: ${shapeName(shape, model, parameters)}`).join("; ")}. Rows of at most ${MAX_LENGTH} tokens, the same in the same order from the same weights, batches of ${BATCH} rows, AdamW at ${LEARNING_RATE}, gradients clipped to 1, LoRA of rank ${LORA_RANK} on all linear modules of the layers. Ours: the library's training run, no checkpoints, no probes. Bare: a LLaMA in plain operators over rows laid end to end, cross entropy over all logits. TRL: SFTConfig's defaults, batches padded to their longest row. TRL, best: batches of ${2 * BATCH} grouped by length, no gradient checkpointing, bf16. TRL has no weights between 0 and 1; beside 0.1 stands its training on all tokens.`,
    "",
    `Tokens/s without padding, whole steps with data loading; medians of ${rounds} rounds in which the sides take turns, after one of warm-up, and half the range. The ratios are medians of the rounds' ratios, above 1 where ours is faster. ${PEAK_WORDS}`,
    "",
    markdownTable(
      SPEED_COLUMNS,
      results.map((result) => speedRow(result, peak)),
    ),
    "",
    ...allocatorTable(setting),
    ...(gains.length > 0
      ? [`Our speed with masked prompts (0) over that with unmasked ones (1): ${gains.join("; ")}.`, ""]
      : []),
    "Peak resident memory of a process of its own, and the largest relative difference of the steps' losses where both sides trained the same batches. Python's processes are forks of one that has imported its packages.",
    "",
    markdownTable([...COLUMNS, "losses, bare", "losses, TRL"], results.map(memoryRow)),
  ].join("\n");
}
