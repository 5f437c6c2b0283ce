// Best weights against the generation ratio, for all tasks and for each group, where a study has several ratios.

import { bestPlwAt, type ResponseSurface, type Shape } from "../../statistics/index.ts";
import { trimmed } from "../../statistics/numbers.ts";
import type { StudyFit, StudySurface } from "../../study/results/fit-study.ts";
import type { Draw } from "../charts/figure.ts";
import { type RatioPoint, type RidgePoint, ratioChart } from "../charts/ratio-chart.ts";
import { type StudyContent, seriesOf } from "../content/study-content.ts";
import { html, type Markup } from "../html/markup.ts";
import { counted, groupTitle } from "./wording.ts";

/** Places along log Rg at which the surface's best weight is drawn. */
const RIDGE_POINTS = 21;
/** Of the surface, for the band. */
const DRAWS = 500;

export function ratioFigures(content: StudyContent, draw: Draw): Markup {
  const { fits } = content;
  const scopes = [...new Set(fits.fits.map(({ taskGroup }) => taskGroup))];
  const percent = `${trimmed(100 * fits.settings.level, 4)} %`;
  const { surfaces } = fits;
  return html`
<p>Each mark is the best weight of one ratio's model with its ${percent} interval, hollow where the score rises or falls
over the whole range; ratios without a significant relation have none.${
    surfaces.length > 0 &&
    ` The band holds where the response surface over w_p and log Rg is highest in ${percent} of ${DRAWS} draws of it, which describes and claims nothing; a line is drawn in it between ratios of which each has a best weight inside of its own.`
  }</p>
<div class="figures">${scopes.map((scope) => ratioFigure(scope, content, draw))}</div>`;
}

function ratioFigure(scope: StudyFit["taskGroup"], { fits, series }: StudyContent, draw: Draw): Markup {
  const own = fits.fits.filter(
    ({ taskGroup, generationRatio }) => taskGroup === scope && generationRatio !== undefined,
  );
  const points = own.flatMap((fit) => pointOf(fit, seriesOf(fit, series)?.slot ?? 0));
  const found = fits.surfaces.find(({ taskGroup }) => taskGroup === scope);
  const ridge = found?.surface ? ridgeOf(found.surface, own, fits.settings.level) : [];
  const ratios = own.map(({ generationRatio }) => generationRatio!);
  const without = ratios.filter((ratio) => points.every((point) => point.ratio !== ratio));
  const none =
    without.length > 0 ? `No best weight at Rg ${without.map((ratio) => trimmed(ratio)).join(", ")}.` : "";
  const title = groupTitle(scope);
  const alt = [
    `${title}: best prompt loss weight against generation ratio.`,
    ...points.map(({ tip }) => `${tip}.`),
    none,
    ...surfaceNotes(found, ridge),
  ].join(" ");
  const notes = [none, ...surfaceNotes(found, ridge)].filter((note) => note !== "");
  return draw.figure({
    title: html`${title} <small>${counted(ratios.length, "generation ratio")}</small>`,
    chart:
      points.length + ridge.length === 0
        ? html`<p>There is nothing to draw.</p>`
        : draw(ratioChart({ points, ridge, ratios, alt })),
    caption: notes.map((note) => html`<p>${note}</p>`),
    level: 3,
  });
}

function pointOf({ effect, generationRatio: ratio }: StudyFit, slot: number): RatioPoint[] {
  const best = effect?.best;
  if (effect === undefined || best === undefined || ratio === undefined || effect.kind === "minimum")
    return [];
  const interval = effect.kind === "maximum" ? (effect.bootstrap?.wp ?? effect.vertex) : undefined;
  const plws = effect.bootstrap?.plw ?? effect.plwInterval;
  const span =
    interval && plws ? ` (${trimmed(plws.lower)} to ${trimmed(plws.upper)})` : ", an end of the range";
  return [
    { slot, ratio, wp: best.wp, interval, tip: `Rg ${trimmed(ratio)}: PLW ${trimmed(best.plw)}${span}` },
  ];
}

/** @param own findings of the ratios that were tried */
function ridgeOf(surface: ResponseSurface, own: readonly StudyFit[], level: number): RidgePoint[] {
  const shapes = own.map(({ generationRatio, finding }) => [generationRatio!, finding?.shape] as const);

  const [low, high] = surface.range.rg.map(Math.log) as [number, number];
  return Array.from({ length: RIDGE_POINTS }, (_, i) => {
    const ratio = Math.exp(low + ((high - low) * i) / (RIDGE_POINTS - 1));
    const { wp, interval } = bestPlwAt(surface, ratio, { level, draws: DRAWS });
    return { ratio, wp, ...interval.wp, settled: peaksAround(ratio, shapes) };
  });
}

/** Whether the ratios that were tried on either side have a best weight inside; slack for rounding at the ends. */
function peaksAround(ratio: number, shapes: readonly (readonly [number, Shape | undefined])[]): boolean {
  const below = shapes.findLast(([tried]) => tried <= ratio * (1 + 1e-9));
  const above = shapes.find(([tried]) => tried >= ratio * (1 - 1e-9));
  return below?.[1] === "peak" && above?.[1] === "peak";
}

function ridgeInWords(ridge: readonly RidgePoint[]): string {
  const settled = ridge.filter((point) => point.settled);
  if (settled.length === 0) return "No two neighboring ratios have a best weight inside.";
  const at = ({ wp, ratio }: RidgePoint): string => `w_p ${trimmed(wp)} at Rg ${trimmed(ratio)}`;
  const count = `at ${settled.length} of ${ridge.length} ratios`;
  return `Best weights inside are borne out ${count}: first ${at(settled[0]!)}, last ${at(settled.at(-1)!)}.`;
}

function surfaceNotes(found: StudySurface | undefined, ridge: readonly RidgePoint[]): string[] {
  if (found === undefined) return [];
  const all = found.finding === undefined ? [] : [`Over all ratios: ${found.finding.verdict}`];
  if (found.surface === undefined) return [...all, `No surface: ${found.problem}.`];
  const { notes, effectiveDegreesOfFreedom: freedom, observations } = found.surface;
  return [
    ...all,
    ridgeInWords(ridge),
    `Surface of ${observations} scores, ${trimmed(freedom)} effective degrees of freedom.`,
    ...notes.map((note) => `${note}.`),
  ];
}
