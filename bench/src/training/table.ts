// The section of docs/BENCHMARKS.md: what was measured, speeds, memory and losses.
import { markdownTable } from "../lib/report.ts";
import { median, spread } from "../lib/statistics.ts";
import { BATCH, LEARNING_RATE, LORA_RANK, MAX_LENGTH, type Shape } from "./cases.ts";
import { lossDifference, type Result, ratioOf, type SideResult } from "./measure.ts";

export interface Setting {
  readonly machine: string;
  readonly threads: number;
  readonly data: string;
  readonly model: string;
  readonly quick: boolean;
  /** Parameters of the large shape, where it was measured. */
  readonly largeParameters: number | undefined;
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

export const nameOf = ({ case: { shape, lora, precision, promptLossWeight } }: Result): string =>
  `${shape}, ${lora ? "LoRA" : "full"}, ${precision}, ${promptLossWeight}`;

const times = (ratio: number | undefined): string => (ratio === undefined ? NONE : ratio.toFixed(2));

export const speedRow = (result: Result): string[] => {
  const { ours, bare, trl, trlBest } = result.sides;
  const rate = (side: SideResult | undefined): string =>
    side === undefined
      ? NONE
      : `${median(side.speeds).toFixed(0)} ±${(50 * spread(side.speeds)).toFixed(0)} %`;
  return [
    nameOf(result),
    ...[ours, bare, trl, trlBest].map(rate),
    ...(["bare", "trl", "trlBest"] as const).map((side) => times(ratioOf(result, side))),
  ];
};

const memoryRow = (result: Result): string[] => {
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
};

/** What masking the prompt saves: speed at weight 0 over that at 1, by shape, kind and precision. */
const maskingGains = (results: readonly Result[]): string[] =>
  results
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

export const sectionOf = (results: readonly Result[], setting: Setting): string => {
  const { machine, threads, data, model, quick, largeParameters, load } = setting;
  const versions = new Set(
    results.flatMap(({ sides }) => Object.entries(sides).map(([side, { version }]) => `${side}: ${version}`)),
  );
  const rounds = results[0]?.sides.ours?.speeds.length ?? 0;
  const shapes: Record<Shape, string> = {
    small: model,
    large: `a LLaMA of ${largeParameters?.toLocaleString("en-US")} parameters with random weights`,
  };
  const measured = [...new Set(results.map(({ case: { shape } }) => shape))];
  const gains = maskingGains(results);
  return [
    "## Training against TRL and a bare PyTorch loop",
    "",
    `\`npm run bench:training -- ALPACA_JSON MODEL_FOLDER${quick ? " --quick" : ""}\` with \`PROMPTLOSS_PYTHON\` naming a Python that has trl, peft and datasets; here with ${data}. ${machine}, ${threads} threads a side; load average ${load.map((value) => value.toFixed(1)).join(" before, ")} after${load[0] > 1 ? ", so the machine was busy with other work and the speeds say little" : ""}. ${[...versions].join("; ")}.`,
    "",
    `${measured.map((shape) => `${shape}: ${shapes[shape]}`).join("; ")}. Rows of at most ${MAX_LENGTH} tokens, the same in the same order from the same weights, batches of ${BATCH} rows, AdamW at ${LEARNING_RATE}, gradients clipped to 1, LoRA of rank ${LORA_RANK} on all linear modules of the layers. Ours: the library's training run, no checkpoints, no probes. Bare: a LLaMA in plain operators over rows laid end to end, cross entropy over all logits. TRL: SFTConfig's defaults, batches padded to their longest row. TRL, best: batches of ${2 * BATCH} grouped by length, no gradient checkpointing, bf16. TRL has no weights between 0 and 1; beside 0.1 stands its training on all tokens.`,
    "",
    `Tokens/s without padding, whole steps with data loading; medians of ${rounds} rounds in which the sides take turns, after one of warm-up, and half the range. The ratios are medians of the rounds' ratios, above 1 where ours is faster.`,
    "",
    markdownTable([...COLUMNS, "ours ÷ TRL, best"], results.map(speedRow)),
    "",
    ...(gains.length > 0
      ? [`Our speed with masked prompts (0) over that with unmasked ones (1): ${gains.join("; ")}.`, ""]
      : []),
    "Peak resident memory of a process of its own, and the largest relative difference of the steps' losses where both sides trained the same batches. Python's processes are forks of one that has imported its packages.",
    "",
    markdownTable([...COLUMNS, "losses, bare", "losses, TRL"], results.map(memoryRow)),
  ].join("\n");
};
