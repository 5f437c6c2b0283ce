// Puts the results of ratio.yaml into docs/REPLICATION.md, between its markers, and draws docs/replication-ratios.svg:
// `node recipes/replication/ratio-page.mjs`. The results are beside this file: nothing is trained.
import { fileURLToPath } from "node:url";
import { fitStudy, readStudyResults, recommend, wpOfPlw } from "promptloss";
import { levels, marked, mean, putPanels, putSections, table } from "./page-parts.mjs";

const results = readStudyResults(fileURLToPath(new URL("results/ratio", import.meta.url)));
const study = fitStudy(results);
const rows = results.rows.filter(({ metric }) => metric === "content_loss");
const weights = levels(rows, ({ plw }) => plw);
const seeds = levels(rows, ({ factors }) => factors.seed);

const ways = [
  {
    title: "Prompts cut, before the same 15 words",
    isOf: (dataset) => dataset.endsWith("before 15"),
  },
  {
    title: "Completions cut, after the same 36 words",
    isOf: (dataset) => dataset.startsWith("36 words"),
  },
].map(({ title, isOf }) => ({
  title,
  sets: levels(rows, ({ factors }) => factors.dataset)
    .filter(isOf)
    .map((dataset) => ({
      dataset,
      ratio: rows.find(({ factors }) => factors.dataset === dataset).generationRatio,
    }))
    .sort((a, b) => a.ratio - b.ratio),
}));

/** What is said of one data set: its level of the factor `dataset`, at its ratio. */
const findings = new Map(
  study.interactions.flatMap(({ levels }) => levels.map(({ level, finding }) => [level, finding])),
);

function losses(dataset, plw) {
  return rows.filter((row) => row.factors.dataset === dataset && row.plw === plw).map(({ value }) => value);
}

/** The lowest mean in bold. */
function means({ title, sets }) {
  const lines = sets.map(({ dataset, ratio }) => {
    const own = weights.map((plw) => mean(losses(dataset, plw)));
    const shown = marked(own, 3, Math.min);
    const { plw } = recommend(ratio, { parameters: 15e6, normalization: "weight-sum", weights });
    return [dataset, ratio.toFixed(2), ...shown, String(plw)];
  });
  const header = ["words", "Rg", ...weights.map((plw) => `PLW ${plw}`), "`recommend` said"];
  return `**${title}**\n\n${table(header, lines)}`;
}

function statements() {
  const lines = ways.flatMap(({ sets }) =>
    sets.map(({ dataset, ratio }) => {
      const { verdict } = findings.get(dataset);
      return [dataset, ratio.toFixed(2), verdict];
    }),
  );
  return `${study.tested} statements were tested together. Scores are losses turned round: *rises* means that the loss falls.\n\n${table(["words", "Rg", "verdict"], lines)}`;
}

/** A line a data set, the mean loss less that of masking. */
function relative({ dataset, ratio }) {
  const masked = mean(losses(dataset, 0));
  const points = weights.map((plw) => [wpOfPlw(plw), mean(losses(dataset, plw)) - masked]);
  return { name: `Rg ${ratio.toFixed(2)}`, points };
}

putSections({ "ratio-means": ways.map(means).join("\n\n"), "ratio-statements": statements() });
putPanels(
  "replication-ratios.svg",
  `Content loss less that of masking against w_p, means of ${seeds.length} seeds`,
  ways.map(({ title, sets }) => ({ title, series: sets.map(relative) })),
  "shared",
);
