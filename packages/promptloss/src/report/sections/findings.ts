// One table of all that the study tested: for each scope the best weight or the shape, its interval, the corrected
// p-value, what is gained over both ends in the metric's unit, and what it rests on.

import type { WeightFinding } from "../../statistics/index.ts";
import { pValue, short, trimmed } from "../../statistics/numbers.ts";
import type { StudyFit } from "../../study/results/fit-study.ts";
import { type Gain, gainsOf } from "../content/gains.ts";
import type { StudyContent } from "../content/study-content.ts";
import { html, type Markup, type Part } from "../html/markup.ts";
import { table } from "../html/table.ts";
import { counted, groupTitle } from "./wording.ts";

export function findings({ fits, series, benchmarks, results }: StudyContent): Markup {
  const all = [...fits.fits, ...fits.benchmarks];
  if (all.length === 0) return html`<p>Nothing was tested.</p>`;
  const ratios = series.length > 1;
  const weights = results.rows.map(({ plw }) => plw);
  const [lowest, highest] = [Math.min(...weights), Math.max(...weights)];
  const metricOf = new Map(benchmarks.map(({ name, metric }) => [name, metric]));
  const percent = `${trimmed(100 * fits.settings.level, 4)} %`;
  return html`
<p>Shape and p-value are of one test per row: does the score have a trend or a curve over the weights at all? p is corrected by
one sequential method over the ${counted(fits.tested, "statement")} that could be tested; df are the residual degrees of freedom. A best
weight has an interval only where weights inside beat both ends; otherwise the weights that can't be told from the best are
named. “At” is the weight with the best mean; what it gains over both ends is in the metric's own unit, with ${percent} intervals corrected for all
weights: a gain whose interval holds 0 is none. Groups have no unit of their own.</p>
${table(
  "All statements",
  [
    { name: "Tasks" },
    ...(ratios ? [{ name: "Rg", number: true }] : []),
    { name: "Shape", number: true },
    { name: "Best PLW, or alike", number: true },
    { name: "Corrected p", number: true },
    { name: "At", number: true },
    { name: end("Over", lowest, 0, "masked"), number: true },
    { name: end("Over", highest, 1, "unmasked"), number: true },
    { name: "df", number: true },
    { name: "About", number: true },
  ],
  all.map((fit) => row(fit, ratios, metricOf)),
)}`;
}

function end(what: string, plw: number, named: number, name: string): string {
  return plw === named ? `${what} ${name} (${plw})` : `${what} ${trimmed(plw)}`;
}

function row(fit: StudyFit, ratios: boolean, metricOf: ReadonlyMap<string, string>): Part[] {
  const { benchmark, taskGroup, generationRatio, finding, problem } = fit;
  const title =
    benchmark === undefined
      ? groupTitle(taskGroup)
      : html`${benchmark} <span class="note">${metricOf.get(benchmark)}</span>`;
  const place = [title, ...(ratios ? [generationRatio === undefined ? "–" : trimmed(generationRatio)] : [])];
  if (finding === undefined) return [...place, problem ?? "", ...Array.from({ length: 7 }, () => "–")];
  const { shape, correctedP, evidence, about } = finding;
  const single = evidence.tasks.length === 1 ? gainsOf(finding) : undefined;
  return [
    ...place,
    shape,
    bestOf(finding),
    shape === "no verdict" ? "–" : pValue(correctedP),
    single === undefined ? "–" : trimmed(single.plw),
    gain(single?.overLowest),
    gain(single?.overHighest),
    trimmed(evidence.residualDf, 3),
    about,
  ];
}

/** The best weight with its interval, or the weights that can't be told from it. */
export function bestOf({ best, interval, alike }: WeightFinding): Part {
  if (interval !== undefined)
    return html`<strong>${trimmed(best.plw)}</strong> (${trimmed(interval.plw.lower)} to ${trimmed(interval.plw.upper)})`;
  if (alike === undefined) return "–";
  return alike.length === 1 ? trimmed(alike[0]!) : `${trimmed(alike[0]!)} to ${trimmed(alike.at(-1)!)} alike`;
}

function gain(found: Gain | undefined): string {
  return found === undefined
    ? "–"
    : `${short(found.difference, 2)} (${short(found.lower, 2)} to ${short(found.upper, 2)})`;
}
