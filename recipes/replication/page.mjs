// Puts the study's tables into docs/REPLICATION.md, between its markers, and draws docs/replication-scores.svg:
// `node recipes/replication/page.mjs runs/replication`.
import { writeFileSync } from "node:fs";
import { fitStudy, readStudyResults, wpOfPlw } from "promptloss";
import { levels, mean, putSections, table } from "./page-parts.mjs";

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error("node recipes/replication/page.mjs STUDY_FOLDER");

const results = readStudyResults(folder);
const study = fitStudy(results);
const { rows } = results;
const datasets = levels(rows, ({ factors }) => factors.dataset)
  .sort()
  .reverse();
const weights = levels(rows, ({ plw }) => plw);
const seeds = levels(rows, ({ factors }) => factors.seed);
const tasks = [
  ...new Map(rows.filter((row) => row.primary).map(({ task, metric }) => [task, { task, metric }])).values(),
];
const END = { task: "held-out", metric: "end_loss" };

function valuesOf({ task, metric }, dataset, plw) {
  return rows
    .filter((row) => row.task === task && row.metric === metric)
    .filter((row) => row.factors.dataset === dataset && row.plw === plw);
}

function nameOf({ task, metric }) {
  return `${task} ${metric.replaceAll("_", " ")}`;
}

/** Means over the seeds, a line a weight. */
function means(dataset) {
  const columns = [tasks[0], END, ...tasks.slice(1)];
  return table(
    ["PLW", ...columns.map(nameOf)],
    weights.map((plw) => [
      String(plw),
      ...columns.map((column) => mean(valuesOf(column, dataset, plw).map(({ value }) => value)).toFixed(3)),
    ]),
  );
}

function setOf(generationRatio) {
  return datasets.toSorted((a, b) => distance(a) - distance(b))[0];

  function distance(dataset) {
    const own = rows.find((row) => row.factors.dataset === dataset).generationRatio;
    return Math.abs(Math.log(own / generationRatio));
  }
}

/** What `promptloss study results` may say: a line a statement; a group's only task has the group's. */
function findings() {
  const named = ({ taskGroup, benchmark, rows: scored }) => {
    const own = [...new Set(scored.map((row) => row.benchmark))];
    if (benchmark !== undefined) return benchmark;
    return own.length === 1 ? own[0] : (taskGroup ?? `together: ${own.join(", ")}`);
  };
  const said = new Map(
    [...study.fits, ...study.benchmarks].map((fit) => {
      const about = [setOf(fit.generationRatio), named(fit)];
      return [about.join(), [...about, fit.finding?.shape ?? "—", fit.finding?.verdict ?? fit.problem]];
    }),
  );
  const aside = study.atChance.length === 0 ? "none" : study.atChance.join(", ");
  return `${study.tested} statements were tested together. At chance, and set aside: ${aside}.\n\n${table(["trained on", "scores", "shape", "verdict"], [...said.values()])}`;
}

/** The held-out loss of each weight against both ends, in nats, below 0 where the weight is better. */
function differences(dataset) {
  const { finding } = study.benchmarks.find(
    ({ benchmark, generationRatio }) => benchmark === tasks[0].task && setOf(generationRatio) === dataset,
  );
  const { deviation } = finding.evidence.scales[0];
  const told = (plw, versus) => {
    const found = finding.contrasts.find((each) => each.plw === plw && each.versus === versus);
    if (found === undefined) return ["—", "—"];
    // Scores are losses turned round.
    const [estimate, lower, upper] = [found.difference, found.upper, found.lower].map((x) => -x * deviation);
    const p = found.p < 0.001 ? "< 0.001" : found.p.toFixed(3);
    return [`${estimate.toFixed(3)} (${lower.toFixed(3)} to ${upper.toFixed(3)})`, p];
  };
  const [first, last] = [weights[0], weights.at(-1)];
  return table(
    ["PLW", `less that of ${first}`, "p", `less that of ${last}`, "p"],
    weights.map((plw) => [String(plw), ...told(plw, first), ...told(plw, last)]),
  );
}

/** Probes, one a cell, and the loss of held-out prompts. */
function mechanisms(dataset) {
  const probes = Object.keys(rows[0].probes);
  return table(
    ["PLW", ...probes.map((name) => name.replaceAll("_", " ")), "held-out prompt loss"],
    weights.map((plw) => {
      const cells = valuesOf(tasks[0], dataset, plw);
      const prompt = valuesOf({ task: "held-out", metric: "prompt_loss" }, dataset, plw);
      return [
        String(plw),
        ...probes.map((name) => Number(mean(cells.map((row) => row.probes[name])).toPrecision(4))),
        mean(prompt.map(({ value }) => value)).toFixed(3),
      ];
    }),
  );
}

/** Panels side by side. */
const ACROSS = 4;

/** A panel for each data set and metric: a dot a run, and a line through the means, over w_p. */
function picture() {
  const columns = [tasks[0], END, ...tasks.slice(1)];
  const [width, height, gapX, gapY] = [150, 100, 50, 56];
  const rowsOfSet = Math.ceil(columns.length / ACROSS);
  const top = (r, c) => 40 + (r * rowsOfSet + Math.floor(c / ACROSS)) * (height + gapY) + r * 24;
  const panels = datasets.flatMap((dataset, r) =>
    columns.map((column, c) => {
      const points = weights.map((plw) => [
        wpOfPlw(plw),
        valuesOf(column, dataset, plw).map((row) => row.value),
      ]);
      const all = points.flatMap(([, values]) => values);
      const [low, high] = [Math.min(...all), Math.max(...all)];
      const x = (wp) => (wp * width).toFixed(1);
      const y = (value) => (height - 6 - ((value - low) / (high - low || 1)) * (height - 12)).toFixed(1);
      const dots = points.flatMap(([wp, values]) =>
        values.map(
          (value) => `<circle cx="${x(wp)}" cy="${y(value)}" r="2.2" fill="#c05a1b" fill-opacity="0.7"/>`,
        ),
      );
      const line = points.map(([wp, values]) => `${x(wp)},${y(mean(values))}`).join(" ");
      return (
        `<g transform="translate(${40 + (c % ACROSS) * (width + gapX)} ${top(r, c)})">` +
        `<rect width="${width}" height="${height}" fill="none" stroke="#ccc"/>` +
        `<text x="0" y="-6">${nameOf(column)}</text>` +
        `<text x="-4" y="10" text-anchor="end" font-size="10">${high.toFixed(2)}</text>` +
        `<text x="-4" y="${height}" text-anchor="end" font-size="10">${low.toFixed(2)}</text>` +
        `<polyline points="${line}" fill="none" stroke="#0b62a3" stroke-width="1.5"/>${dots.join("")}` +
        `<text x="0" y="${height + 14}" font-size="10">0</text>` +
        `<text x="${width}" y="${height + 14}" text-anchor="end" font-size="10">w_p = 1</text></g>`
      );
    }),
  );
  const titles = datasets.map(
    (dataset, r) => `<text x="40" y="${top(r, 0) - 24}" font-weight="bold">Trained on ${dataset}</text>`,
  );
  const total = [40 + ACROSS * (width + gapX), top(datasets.length, 0) - 40];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total.join(" ")}" width="${total[0]}" height="${total[1]}" ` +
    'font-family="sans-serif" font-size="12" fill="#444" role="img">' +
    `<title>Scores of ${seeds.length} seeds against w_p</title><rect width="${total[0]}" height="${total[1]}" fill="#fff"/>` +
    `${titles.join("")}${panels.join("")}</svg>\n`
  );
}

function bySet(section) {
  return datasets.map((dataset) => `**Trained on ${dataset}**\n\n${section(dataset)}`).join("\n\n");
}

putSections({
  scores: bySet(means),
  findings: findings(),
  differences: bySet(differences),
  mechanisms: bySet(mechanisms),
});
writeFileSync(new URL("../../docs/replication-scores.svg", import.meta.url), picture());
