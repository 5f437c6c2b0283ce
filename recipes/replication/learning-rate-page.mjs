// Puts the results of learning-rate.yaml into docs/REPLICATION.md, between its markers, and draws
// docs/replication-rates.svg: `node recipes/replication/learning-rate-page.mjs`. The results are beside this file: nothing
// is trained.
import { fileURLToPath } from "node:url";
import { fitStudy, readStudyResults, wpOfPlw } from "promptloss";
import { levels, marked, mean, putPanels, putSections, table } from "./page-parts.mjs";

const RATE = "learningRate";
const all = readStudyResults(fileURLToPath(new URL("results/learning-rate", import.meta.url)));
const weights = levels(all.rows, ({ plw }) => plw);
const rates = levels(all.rows, ({ factors }) => factors[RATE]);

/** Whether a seed has a cell for each pair: the others wait until theirs are there. */
function isWhole(seed) {
  const own = all.rows.filter(({ factors }) => factors.seed === seed);
  return new Set(own.map(({ cell }) => cell)).size === weights.length * rates.length;
}
const whole = new Set(levels(all.rows, ({ factors }) => factors.seed).filter(isWhole));
const results = { ...all, rows: all.rows.filter(({ factors }) => whole.has(factors.seed)) };
const { rows } = results;
const study = fitStudy(results);

const DIGITS = 3;

/** The scores that stand for their tasks, beside the loss of the held-out rows' content and end. */
const primary = [
  ...new Map(
    rows.filter((row) => row.primary && row.task !== "held-out").map((row) => [row.task, row]),
  ).values(),
];

/** What is shown, and which end of a column is better. */
const SCORES = [
  { task: "held-out", metric: "content_loss", title: "Held-out content loss", best: Math.min },
  { task: "held-out", metric: "end_loss", title: "Held-out end loss", best: Math.min },
  ...primary.map(({ task, metric, higherIsBetter }) => ({
    ...{ task, metric, title: `${task} ${metric.replaceAll("_", " ")}` },
    best: higherIsBetter ? Math.max : Math.min,
  })),
];

function meanOf({ task, metric }, rate, plw) {
  return mean(
    rows
      .filter((row) => row.task === task && row.metric === metric)
      .filter((row) => row.factors[RATE] === rate && row.plw === plw)
      .map(({ value }) => value),
  );
}

/** A line a rate; the best weight of each rate in bold. */
function means(score) {
  const lines = rates.map((rate) => {
    const own = weights.map((plw) => meanOf(score, rate, plw));
    return [rate.toExponential(), ...marked(own, DIGITS, score.best)];
  });
  return `**${score.title}**\n\n${table(["learning rate", ...weights.map((plw) => `PLW ${plw}`)], lines)}`;
}

function counts() {
  const cells = new Set(rows.map(({ cell }) => cell)).size;
  return `Means of ${whole.size} seeds, ${cells} trainings in all.`;
}

/** A line a rate: what the study's rules say of the weights there. */
function verdicts({ interactions }) {
  return interactions
    .find(({ factor }) => factor === RATE)
    .levels.toSorted((a, b) => Number(a.level) - Number(b.level))
    .map(({ level, finding }) => [Number(level).toExponential(), finding?.verdict ?? "—"]);
}

function statements() {
  const { sentence } = study.interactions.find(({ factor }) => factor === RATE);
  const single = study.benchmarks.map(({ benchmark, finding, problem }) => [
    benchmark,
    finding?.verdict ?? problem,
  ]);
  const aside = study.atChance.length === 0 ? "none" : study.atChance.join(", ");
  const heldOut = fitStudy({ ...results, rows: rows.filter(({ task }) => task === "held-out") });
  return [
    `${sentence}. At chance, and set aside: ${aside}.`,
    `All rates together; ${study.tested} statements were tested.`,
    table(["score", "verdict"], single),
    `The held-out content loss at each rate; ${heldOut.tested} statements were tested. Losses are turned round: *rises* means that the loss falls.`,
    table(["learning rate", "verdict"], verdicts(heldOut)),
  ].join("\n\n");
}

putSections({
  "rate-means": [counts(), ...SCORES.map(means)].join("\n\n"),
  "rate-statements": statements(),
});
function line(score, rate) {
  return {
    name: `rate ${rate.toExponential()}`,
    points: weights.map((plw) => [wpOfPlw(plw), meanOf(score, rate, plw)]),
  };
}

const [contentLoss] = SCORES;
putPanels(
  "replication-rates.svg",
  "Held-out content loss against w_p at each learning rate, and other scores with a line for each",
  [
    ...rates.map((rate) => ({
      title: `${contentLoss.title}, rate ${rate.toExponential()}`,
      series: [line(contentLoss, rate)],
    })),
    ...SCORES.filter(({ task }) => task !== "held-out" && !study.atChance.includes(task)).map((score) => ({
      title: score.title,
      series: rates.map((rate) => line(score, rate)),
    })),
  ],
  "own",
  3,
);
