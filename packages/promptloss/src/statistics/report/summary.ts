// A fit as plain text, with everything that R's summary of such a model prints: criteria, variance components,
// dispersion, coefficients with Wald tests, and what is doubtful about it in words.

import { textTable } from "../../terminal/text-table.ts";
import { coefficientTests } from "../mixed/coefficient-tests.ts";
import type { ComparisonRow } from "../mixed/compare.ts";
import type { MixedModelFit } from "../mixed/fit.ts";
import { pValue, short, stars } from "../numbers.ts";

/** The summary, lines joined by newlines, none at the end. */
export function renderSummary(fit: MixedModelFit): string {
  return [
    ...head(fit),
    "",
    ...criteria(fit),
    ...randomEffects(fit),
    "",
    dispersionLine(fit),
    "",
    ...coefficients(fit),
    ...diagnostics(fit),
  ].join("\n");
}

function head({ family, link, formula, reml, observations, varianceComponents }: MixedModelFit): string[] {
  const method = reml ? "restricted maximum likelihood" : "maximum likelihood";
  const approximation =
    varianceComponents.length > 0 && family !== "gaussian" ? ", Laplace approximation" : "";
  const groups = new Map(varianceComponents.map(({ group, groups: count }) => [group, count]));
  const counts = [...groups].map(([group, count]) => `${group} ${count}`).join(", ");
  return [
    `Family:        ${family} (${link} link)`,
    `Formula:       ${formula}`,
    `Method:        ${method}${approximation}`,
    `Observations:  ${observations}${counts === "" ? "" : `; groups: ${counts}`}`,
  ];
}

function criteria({ aic, bic, logLik, observations, parameters, reml }: MixedModelFit): string[] {
  const cells = [aic, bic, logLik, -2 * logLik].map((x) => x.toFixed(2));
  return textTable(
    [
      ["AIC", "BIC", reml ? "REML logLik" : "logLik", "-2 logLik", "df", "residual df"],
      [...cells, String(parameters), String(observations - parameters)],
    ],
    ["right", "right", "right", "right", "right", "right"],
  );
}

function randomEffects({ varianceComponents, family, dispersion }: MixedModelFit): string[] {
  if (varianceComponents.length === 0) return [];
  const rows = varianceComponents.flatMap(({ group, effects, sd, correlation, uncorrelated }) =>
    effects.map((effect, m) => [
      m === 0 ? group : "",
      effect,
      short(sd[m]! ** 2),
      short(sd[m]!),
      uncorrelated
        ? ""
        : correlation[m]!.slice(0, m)
            .map((r) => (Number.isFinite(r) ? r.toFixed(2) : "–"))
            .join(" "),
    ]),
  );
  if (family === "gaussian") rows.push(["residual", "", short(dispersion ** 2), short(dispersion), ""]);
  const header = ["Group", "Effect", "Variance", "Std. dev.", "Correlation"];
  return ["", "Random effects", ...textTable([header, ...rows], ["left", "left", "right", "right", "right"])];
}

function dispersionLine({ family, dispersion, samplingError }: MixedModelFit): string {
  if (family === "beta")
    return `Dispersion: precision phi ${short(dispersion)} (a score's variance is mu (1 - mu) / (1 + phi))`;
  const beside =
    samplingError === undefined
      ? ""
      : ` beside the scores' own standard errors (${samplingError}), which are known`;
  return `Dispersion: residual standard deviation sigma ${short(dispersion)}${beside}`;
}

function coefficients(fit: MixedModelFit): string[] {
  const { statistic, method, rows } = coefficientTests(fit);
  const t = statistic === "t";
  const cells = rows.map(({ name, estimate, standardError, statistic: value, df, p }) => [
    name,
    short(estimate),
    short(standardError),
    ...(t ? [short(df, 3)] : []),
    Number.isFinite(value) ? value.toFixed(3) : "–",
    pValue(p),
    stars(p),
  ]);
  for (const name of fit.aliased) cells.push([name, ...(t ? ["–"] : []), "–", "–", "–", "–", ""]);
  const header = ["", "Estimate", "Std. error", ...(t ? ["df"] : []), statistic, "p", ""];
  const alignments = header.map((_, k) => (k === 0 || k === header.length - 1 ? "left" : "right"));
  return [
    "Fixed effects",
    ...textTable([header, ...cells], alignments),
    `*** p < 0.001, ** p < 0.01, * p < 0.05, . p < 0.1 (${method}, two-sided)`,
  ];
}

function diagnostics({ diagnostics: found, converged, singular }: MixedModelFit): string[] {
  const sound = converged && !singular && found.every(({ severity }) => severity === "note");
  const ordered = [...found].sort((a, b) => Number(a.severity === "note") - Number(b.severity === "note"));
  const lines = ordered.map(({ severity, message }) => `${severity}: ${message}`);
  return ["", ...(sound ? ["Converged."] : []), ...lines];
}

/** Likelihood-ratio tests as plain text. */
export function renderComparison(rows: readonly ComparisonRow[]): string {
  const cells = rows.map(({ formula, parameters, aic, bic, logLik, test }) => [
    formula,
    String(parameters),
    aic.toFixed(2),
    bic.toFixed(2),
    logLik.toFixed(3),
    test === undefined ? "" : test.statistic.toFixed(3),
    test === undefined ? "" : String(test.degreesOfFreedom),
    test === undefined ? "" : pValue(test.p),
  ]);
  const header = ["Model", "df", "AIC", "BIC", "logLik", "Chi-square", "Chi df", "p"];
  const right = header.slice(1).map(() => "right" as const);
  const best = rows.reduce((top, row) => (row.aic < top.aic ? row : top));
  const lines = [
    rows.some(({ test }) => test !== undefined)
      ? "Likelihood-ratio tests, each model against the one above"
      : "Models compared by AIC: less is better",
    ...textTable([header, ...cells], ["left", ...right]),
  ];
  for (const [k, { notNested, formula }] of rows.entries()) {
    if (notNested !== undefined)
      lines.push(
        `note: no test of "${rows[k - 1]!.formula}" against "${formula}", which are not nested: ${notNested}`,
      );
  }
  if (rows.some(({ notNested }) => notNested !== undefined)) {
    const second = Math.min(...rows.filter((row) => row !== best).map(({ aic }) => aic));
    lines.push(
      `lowest AIC: ${best.formula}, by ${(second - best.aic).toFixed(2)} (under 2 is no difference to speak of)`,
    );
  }
  if (rows.some(({ test }) => test?.conservative)) {
    lines.push(
      "note: a test of a variance against zero is at the edge of its range: the true p is smaller than printed",
    );
  }
  return lines.join("\n");
}
