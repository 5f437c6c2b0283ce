// The section of docs/BENCHMARKS.md on what a token costs by the rows' length, by the batch and by the model.
import { markdownTable } from "../lib/report.ts";
import { median } from "../lib/statistics.ts";
import { costCasesOf } from "./cases.ts";
import { type Result, ratioOf } from "./measure.ts";
import { circumstances, PEAK_WORDS, rateOf, type Setting, shapeName, shareOfPeak, times } from "./table.ts";

const HEADER = [
  ...["varied", "model", "tokens a row", "rows a step"],
  ...["ours, tokens/s", "ours, µs a token", "bare, tokens/s"],
  ...["ours ÷ bare", "ours ÷ TRL", "ours ÷ TRL, best"],
  ...["ours, share of peak", "bare, share of peak", "ours, memory", "bare, memory"],
];

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** @param results in the order of the cost cases, up to where the run was cut short */
export function costSectionOf(results: readonly Result[], setting: Setting): string {
  const axes = costCasesOf().map(({ axis }) => axis);
  const { data, model, parameters, peak, flags } = setting;
  const shapes = [...new Set(results.map(({ case: { shape } }) => shape))];
  const rows = results.map((result, index) => {
    const { ours, bare } = result.sides;
    const { shape, maxLength, batch } = result.case;
    return [
      ...[axes[index]!, shape, String(maxLength), String(batch)],
      ...[rateOf(ours), (1e6 / median(ours!.speeds)).toFixed(0), rateOf(bare)],
      ...(["bare", "trl", "trlBest"] as const).map((side) => times(ratioOf(result, side))),
      ...(["ours", "bare"] as const).map((side) => shareOfPeak(result, side, peak)),
      ...[megabytes(ours!.peak), megabytes(bare!.peak)],
    ];
  });
  return [
    "## What a token of training costs",
    "",
    `\`npm run bench:training -- ALPACA_JSON MODEL_FOLDER${flags}\` with \`PROMPTLOSS_PYTHON\` naming a Python that has trl, peft and datasets; here with ${data}, whose answers are joined to full rows. ${circumstances(results, setting)}`,
    "",
    `${shapes.map((shape) => `${shape}: ${shapeName(shape, model, parameters)}`).join("; ")}. Full fine-tuning in bf16 at prompt loss weight 0.1, as in the section above; medians of rounds in which the sides take turns. ${PEAK_WORDS}`,
    "",
    markdownTable(HEADER, rows),
  ].join("\n");
}
