// The models as tables: fixed effects with Wald tests, random effects, criteria, and what is doubtful; and the text that
// `promptloss fit` prints of the same model.

import { coefficientTests, type MixedModelFit, renderSummary } from "../../statistics/index.ts";
import { pValue, short, stars, trimmed } from "../../statistics/numbers.ts";
import type { StudyFit } from "../../study/results/fit-study.ts";
import type { StudyContent } from "../content/study-content.ts";
import { html, type Markup } from "../html/markup.ts";
import { table } from "../html/table.ts";
import { counted, groupTitle, sentence } from "./wording.ts";

export function modelTables({ fits }: StudyContent): Markup {
  return fits.fits.length === 0
    ? html`<p>There is nothing to model yet.</p>`
    : html`
<p>The mixed models that curves are drawn from. Their tests are uncorrected; verdicts rest on the table of findings.</p>
${[...fits.fits, ...fits.benchmarks].map(modelOf)}
<p class="note">*** p &lt; 0.001, ** p &lt; 0.01, * p &lt; 0.05, . p &lt; 0.1, two-sided, uncorrected.</p>`;
}

function modelOf(each: StudyFit): Markup {
  const { taskGroup, benchmark, generationRatio, rows, formula, fit, beside, problem } = each;
  const ratio = generationRatio === undefined ? "" : `, Rg ${trimmed(generationRatio)}`;
  const title = `${benchmark ?? groupTitle(taskGroup)}${ratio}`;
  return html`
<details class="model"><summary>${title}: <code>${formula}</code>, ${counted(rows.length, "score")}</summary>
${beside && html`<p>${sentence(beside.sentence)}.</p>`}
${problem !== undefined && html`<p class="warning">No ${fit ? "effect" : "model"}: ${problem}.</p>`}
${fit && fitTables(fit, title)}</details>`;
}

function fitTables(fit: MixedModelFit, title: string): Markup {
  return html`
${coefficients(fit, title)}
${fit.varianceComponents.length > 0 && randomEffects(fit, title)}
${criteria(fit, title)}
${fit.diagnostics.map(({ severity, message }) => html`<p class="${severity}">${sentence(severity)}: ${message}.</p>`)}
<details><summary>As <code>promptloss fit</code> prints it</summary><pre tabindex="0">${renderSummary(fit)}</pre></details>`;
}

function coefficients(fit: MixedModelFit, title: string): Markup {
  const { statistic, method, rows } = coefficientTests(fit);
  return table(
    `${title}: fixed effects (${method})`,
    [
      { name: "Term" },
      { name: "Estimate", number: true },
      { name: "Std. error", number: true },
      { name: "df", number: true },
      { name: statistic, number: true },
      { name: "p", number: true },
      { name: html`<span class="unseen">Significance</span>` },
    ],
    [
      ...rows.map(({ name, estimate, standardError, df, statistic: value, p }) => [
        ...[name, short(estimate), short(standardError), Number.isFinite(df) ? short(df, 3) : "∞"],
        ...[Number.isFinite(value) ? value.toFixed(3) : "–", pValue(p), stars(p)],
      ]),
      ...fit.aliased.map((name) => [name, "–", "–", "–", "–", "–", "left out"]),
    ],
  );
}

function randomEffects({ varianceComponents, family, dispersion }: MixedModelFit, title: string): Markup {
  return table(
    `${title}: random effects`,
    [
      { name: "Group" },
      { name: "Effect" },
      { name: "Groups", number: true },
      { name: "Variance", number: true },
      { name: "Std. dev.", number: true },
      { name: "Correlation", number: true },
    ],
    [
      ...varianceComponents.flatMap(({ group, groups, effects, sd, correlation, uncorrelated }) =>
        effects.map((effect, m) => {
          const others = uncorrelated ? [] : correlation[m]!.slice(0, m);
          const shown = others.map((r) => (Number.isFinite(r) ? r.toFixed(2) : "–")).join(" ");
          return [group, effect, groups, short(sd[m]! ** 2), short(sd[m]!), shown];
        }),
      ),
      ...(family === "gaussian" ? [["residual", "", "", short(dispersion ** 2), short(dispersion), ""]] : []),
    ],
  );
}

function criteria(fit: MixedModelFit, title: string): Markup {
  const { aic, bic, logLik, parameters, observations, dispersion, family, link, reml, samplingError } = fit;
  const beside = samplingError === undefined ? "" : " beside sampling errors";
  const spread = family === "beta" ? "Precision φ" : `Residual σ${beside}`;
  return table(
    `${title}: fit (${family}, ${link} link)`,
    [reml ? "REML logLik" : "logLik", "AIC", "BIC", "df", "Residual df", "Scores", spread].map((name) => ({
      name,
      number: true,
    })),
    [
      [
        ...[logLik, aic, bic].map((x) => x.toFixed(2)),
        ...[parameters, observations - parameters, observations, short(dispersion)],
      ],
    ],
  );
}
