// Puts the study's tables into docs/REPLICATION.md, between its markers: `node recipes/replication/page.mjs runs/replication`.
import { readFileSync, writeFileSync } from "node:fs";
import { fitMixedModel, fitStudy, quadraticEffect, readStudyResults, wpOfPlw } from "promptloss";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("node recipes/replication/page.mjs STUDY_FOLDER");

const results = readStudyResults(folder);
const { rows } = results;
const datasets = [...new Set(rows.map(({ factors }) => factors.dataset))].sort().reverse();
const weights = [...new Set(rows.map(({ plw }) => plw))].sort((a, b) => a - b);
const primary = rows.filter((row) => row.primary);
const tasks = [...new Map(primary.map(({ task, metric }) => [task, metric]))];

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
function table(header, lines) {
  return [header, header.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
function digits(value, count = 3) {
  return Number.isFinite(value) ? value.toFixed(count) : "—";
}
function small(p) {
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}
function weight(plw) {
  return String(Number(plw.toPrecision(2)));
}

/** Means over the seeds, a line a weight. */
function means(dataset) {
  return table(
    ["PLW", ...tasks.map(([task, metric]) => `${task} ${metric.replaceAll("_", " ")}`)],
    weights.map((plw) => [
      String(plw),
      ...tasks.map(([task]) => {
        const own = primary.filter(
          (row) => row.task === task && row.plw === plw && row.factors.dataset === dataset,
        );
        return digits(mean(own.map(({ value }) => value)));
      }),
    ]),
  );
}

function bestOf({ kind, best, plwInterval }) {
  if (kind === "none") return "—";
  if (kind === "minimum") return `worst inside; best at ${weight(best.plw)}`;
  const interval = plwInterval && ` (${weight(plwInterval.lower)} to ${weight(plwInterval.upper)})`;
  return `${weight(best.plw)}${interval ?? ""}`;
}

/** A seed draws its own held-out rows, so that its losses have a level of their own. */
const FORMULA = "score ~ wp + wp^2 + seed";

/** A quadratic in w_p through the cells of one set and task; losses are turned, so that more is better. */
function alone() {
  return table(
    [
      "trained on",
      "task",
      "metric",
      "cells",
      "p of the quadratic term",
      "p of both terms",
      "curve",
      "best PLW (95 % interval)",
    ],
    datasets.flatMap((dataset) =>
      tasks.map(([task, metric]) => {
        const own = primary
          .filter((row) => row.task === task && row.factors.dataset === dataset)
          .map(({ value, plw, higherIsBetter, factors }) => ({
            score: higherIsBetter ? value : -value,
            wp: wpOfPlw(plw),
            seed: `seed ${factors.seed}`,
          }));
        const effect = quadraticEffect(fitMixedModel(own, FORMULA, { family: "gaussian" }));
        const { quadratic, joint, kind } = effect;
        return [dataset, task, metric, own.length, small(quadratic.p), small(joint.p), kind, bestOf(effect)];
      }),
    ),
  );
}

/** The models that `promptloss study results` fits. */
function together() {
  return table(
    [
      "tasks",
      "Rg",
      "scores",
      "p of the quadratic term",
      "p of both terms",
      "curve",
      "best PLW (95 % interval)",
    ],
    fitStudy(results).fits.map(({ taskGroup = "all", generationRatio, rows: scores, effect, problem }) =>
      effect === undefined
        ? [taskGroup, digits(generationRatio), scores.length, "—", "—", problem, "—"]
        : [
            ...[taskGroup, digits(generationRatio), scores.length],
            ...[small(effect.quadratic.p), small(effect.joint.p), effect.kind, bestOf(effect)],
          ],
    ),
  );
}

/** All tasks once more, with what one training's scores have in common. */
function perCell() {
  return table(
    ["Rg", "model", "p of the quadratic term", "p of both terms", "curve", "best PLW (95 % interval)"],
    fitStudy(results)
      .fits.filter(({ taskGroup }) => taskGroup === undefined)
      .map(({ generationRatio, rows: scores }) => {
        const own = scores.map(({ score, benchmark, result: { wp, cell } }) => ({
          score,
          wp,
          benchmark,
          cell,
        }));
        const effect = quadraticEffect(fitMixedModel(own, "score ~ wp + wp^2 + (1|benchmark) + (1|cell)"));
        const { quadratic, joint, kind } = effect;
        return [
          ...[digits(generationRatio), "with (1\\|cell)", small(quadratic.p), small(joint.p)],
          ...[kind, bestOf(effect)],
        ];
      }),
  );
}

/** Probes, one a cell, and what else is measured of the held-out rows. */
function mechanisms(dataset) {
  const cells = (plw) =>
    primary.filter((row) => row.task === "held-out" && row.plw === plw && row.factors.dataset === dataset);
  const other = (metric, plw) =>
    rows.filter(
      (row) =>
        row.task === "held-out" &&
        row.metric === metric &&
        row.plw === plw &&
        row.factors.dataset === dataset,
    );
  const probes = Object.keys(rows[0].probes);
  return table(
    ["PLW", ...probes.map((name) => name.replaceAll("_", " ")), "held-out prompt loss"],
    weights.map((plw) => [
      String(plw),
      ...probes.map((name) => Number(mean(cells(plw).map((row) => row.probes[name])).toPrecision(4))),
      digits(mean(other("prompt_loss", plw).map(({ value }) => value))),
    ]),
  );
}

const sections = {
  scores: datasets.map((dataset) => `**Trained on ${dataset}**\n\n${means(dataset)}`).join("\n\n"),
  alone: alone(),
  together: together(),
  "per-cell": perCell(),
  mechanisms: datasets.map((dataset) => `**Trained on ${dataset}**\n\n${mechanisms(dataset)}`).join("\n\n"),
};

const page = new URL("../../docs/REPLICATION.md", import.meta.url);
let text = readFileSync(page, "utf8");
for (const [name, section] of Object.entries(sections))
  text = text.replace(
    new RegExp(`<!-- ${name} -->[\\s\\S]*<!-- /${name} -->`),
    () => `<!-- ${name} -->\n${section}\n<!-- /${name} -->`,
  );
writeFileSync(page, text);
