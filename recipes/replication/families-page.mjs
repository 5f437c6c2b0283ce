// Puts the results of families.yaml into docs/REPLICATION.md, between its markers, and draws docs/replication-families.svg:
// `node recipes/replication/families-page.mjs`. The results are beside this file: nothing is trained.
import { fileURLToPath } from "node:url";
import { fitStudy, readStudyResults, wpOfPlw } from "promptloss";
import { levels, marked, mean, putPanels, putSections, table } from "./page-parts.mjs";

const RATE = "learningRate";
const results = readStudyResults(fileURLToPath(new URL("results/families", import.meta.url)));
const weights = levels(results.rows, ({ plw }) => plw);
const seeds = levels(results.rows, ({ factors }) => factors.seed);
const families = levels(results.rows, ({ factors }) => factors.family);
const rates = levels(results.rows, ({ factors }) => factors[RATE]);

/** The weight whose differences are shown: of those that the paper finds best on short completions, the middle one. */
const SHOWN = 0.1;

const METRICS = [
  { metric: "content_loss", title: "Held-out content loss" },
  { metric: "end_loss", title: "Held-out end loss" },
];

function meanOf(metric, family, rate, plw) {
  return mean(
    results.rows
      .filter((row) => row.metric === metric && row.plw === plw)
      .filter(({ factors }) => factors.family === family && factors[RATE] === rate)
      .map(({ value }) => value),
  );
}

/** A line a family; its best weight in bold. */
function means({ metric, title }, rate) {
  const lines = families.map((family) => [
    family,
    ...marked(
      weights.map((plw) => meanOf(metric, family, rate, plw)),
      3,
      Math.min,
    ),
  ]);
  return `**${title}, rate ${rate.toExponential()}**\n\n${table(["family", ...weights.map((plw) => `PLW ${plw}`)], lines)}`;
}

/** How much lower the loss is with the shown weight, in nats, with its interval. */
function difference({ contrasts, evidence }, against) {
  const { deviation } = evidence.scales[0];
  const found = contrasts.find(({ plw, versus }) => plw === SHOWN && versus === against);
  const [at, lower, upper] = [found.difference, found.lower, found.upper].map((value) =>
    (value * deviation).toFixed(3),
  );
  return `${at} (${lower} to ${upper})`;
}

/** What the study's rules say of each family at one rate. */
function statements(rate) {
  const study = fitStudy({ ...results, rows: results.rows.filter(({ factors }) => factors[RATE] === rate) });
  const interaction = study.interactions.find(({ factor }) => factor === "family");
  const findings = new Map(interaction.levels.map(({ level, finding }) => [level, finding]));
  const lines = families.map((family) => {
    const finding = findings.get(family);
    return [
      family,
      difference(finding, 0),
      difference(finding, 1),
      finding.alike === undefined ? "—" : finding.alike.join(", "),
      finding.verdict,
    ];
  });
  const header = [
    "family",
    `PLW ${SHOWN} below masking`,
    `PLW ${SHOWN} below PLW 1`,
    "like the best",
    "verdict",
  ];
  return [
    `**Rate ${rate.toExponential()}**`,
    `${interaction.sentence}. ${study.tested} statements were tested.`,
    table(header, lines),
  ].join("\n\n");
}

/** A line a family, the mean loss less that of masking. */
function line(family, rate) {
  const masked = meanOf("content_loss", family, rate, 0);
  const points = weights.map((plw) => [wpOfPlw(plw), meanOf("content_loss", family, rate, plw) - masked]);
  return { name: family, points };
}

const cells = new Set(results.rows.map(({ cell }) => cell)).size;
putSections({
  "family-means": [
    `Means of ${seeds.length} seeds, ${cells} trainings in all.`,
    ...METRICS.flatMap((score) => rates.map((rate) => means(score, rate))),
  ].join("\n\n"),
  "family-statements": [
    "Differences in nats, with intervals that hold for all of a line's weights at once, at 95 %. Losses are turned round in the verdicts: *rises* means that the loss falls.",
    ...rates.map(statements),
  ].join("\n\n"),
});
putPanels(
  "replication-families.svg",
  `Content loss less that of masking against w_p, a line for each family, means of ${seeds.length} seeds`,
  rates.map((rate) => ({
    title: `Content loss less that of masking, rate ${rate.toExponential()}`,
    series: families.map((family) => line(family, rate)),
  })),
  "own",
);
