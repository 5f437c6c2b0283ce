// A study's content → the report, one HTML file.
import { drawer } from "./charts/figure.ts";
import type { StudyContent } from "./content/study-content.ts";
import { type PageSection, page } from "./page.ts";
import { choiceTable } from "./sections/choice.ts";
import { diagnostics } from "./sections/diagnostics.ts";
import { downloads } from "./sections/downloads.ts";
import { findings } from "./sections/findings.ts";
import { heatmaps } from "./sections/heatmaps.ts";
import { interactions } from "./sections/interactions.ts";
import { mechanisms } from "./sections/mechanisms.ts";
import { method } from "./sections/method.ts";
import { modelTables } from "./sections/model-tables.ts";
import { ratioFigures } from "./sections/ratio-figures.ts";
import { scoreFigures } from "./sections/score-figures.ts";
import { verdict } from "./sections/verdict.ts";

export interface RenderOptions {
  /** Printed as the day of the report. */
  readonly date: Date;
  readonly version: string;
}

export interface RenderedReport {
  /** The report's parts, in order. */
  readonly sections: readonly PageSection[];
  /** All of it, as one HTML file. */
  readonly page: string;
}

export function renderReport(content: StudyContent, options: RenderOptions): RenderedReport {
  const { date, version } = options;
  const subtitle = `Prompt loss weight study, ${date.toISOString().slice(0, 10)}, promptloss ${version}`;
  const sections = sectionsOf(content, options);
  return { sections, page: page(content.results.study, subtitle, sections) };
}

function sectionsOf(content: StudyContent, { date, version }: RenderOptions): PageSection[] {
  const draw = drawer();
  const several = content.series.filter(({ generationRatio }) => generationRatio !== undefined).length > 1;
  return [
    { id: "verdict", title: "Verdict", body: verdict(content, draw) },
    { id: "findings", title: "Findings", body: findings(content) },
    ...(content.recommendations.length > 0
      ? [{ id: "choice", title: "Which weight to use", body: choiceTable(content) }]
      : []),
    { id: "scores", title: "Score against w_p", body: scoreFigures(content, draw) },
    ...(several
      ? [{ id: "ratios", title: "Best weight by generation ratio", body: ratioFigures(content, draw) }]
      : []),
    ...(content.fits.interactions.length > 0
      ? [{ id: "interactions", title: "Interactions", body: interactions(content) }]
      : []),
    { id: "cells", title: "Cells", body: heatmaps(content, draw) },
    { id: "mechanisms", title: "Mechanisms", body: mechanisms(content, draw) },
    { id: "diagnostics", title: "Diagnostics", body: diagnostics(content, draw) },
    { id: "models", title: "Models", body: modelTables(content) },
    { id: "method", title: "Method", body: method(content, version, date.getUTCFullYear()) },
    { id: "data", title: "Data", body: downloads(content) },
  ];
}
