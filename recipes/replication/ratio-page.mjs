// Puts the results of ratio.yaml into docs/REPLICATION.md, between its markers, and draws docs/replication-ratios.svg:
// `node recipes/replication/ratio-page.mjs`. The results are beside this file: nothing is trained.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { fitStudy, readStudyResults, recommend, wpOfPlw } from "promptloss";

const docs = new URL("../../docs/", import.meta.url);
const results = readStudyResults(fileURLToPath(new URL("results/ratio", import.meta.url)));
const study = fitStudy(results);
const rows = results.rows.filter(({ metric }) => metric === "content_loss");
const weights = [...new Set(rows.map(({ plw }) => plw))].sort((a, b) => a - b);
const seeds = [...new Set(rows.map(({ factors }) => factors.seed))];

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
  sets: [...new Set(rows.map(({ factors }) => factors.dataset))]
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

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function table(header, lines) {
  return [header, header.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The lowest mean in bold. */
function means({ title, sets }) {
  const lines = sets.map(({ dataset, ratio }) => {
    const own = weights.map((plw) => mean(losses(dataset, plw)));
    const lowest = Math.min(...own);
    const shown = own.map((value) => (value === lowest ? `**${value.toFixed(3)}**` : value.toFixed(3)));
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

/** Two panels: a line a data set, the mean loss less that of masking, over w_p. */
function picture() {
  const [width, height, left, top, gap] = [300, 240, 60, 44, 190];
  const COLORS = ["#7a1fa2", "#3949ab", "#0277bd", "#2e7d32", "#ef6c00", "#c62828"];
  const relative = ({ dataset }) => {
    const masked = mean(losses(dataset, 0));
    return weights.map((plw) => [wpOfPlw(plw), mean(losses(dataset, plw)) - masked]);
  };
  const all = ways.flatMap(({ sets }) => sets.flatMap((set) => relative(set).map(([, value]) => value)));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const x = (wp) => (wp * width).toFixed(1);
  const y = (value) => (6 + ((high - value) / (high - low)) * (height - 12)).toFixed(1);
  const panels = ways.map(({ title, sets }, p) => {
    const lines = sets.map((set, k) => {
      const points = relative(set);
      const dots = points.map(
        ([wp, v]) => `<circle cx="${x(wp)}" cy="${y(v)}" r="2.6" fill="${COLORS[k]}"/>`,
      );
      const path = points.map(([wp, value]) => `${x(wp)},${y(value)}`).join(" ");
      return (
        `<polyline points="${path}" fill="none" stroke="${COLORS[k]}" stroke-width="1.6"/>${dots.join("")}` +
        `<rect x="${width + 12}" y="${14 + 20 * k}" width="14" height="3" fill="${COLORS[k]}"/>` +
        `<text x="${width + 32}" y="${20 + 20 * k}">Rg ${set.ratio.toFixed(2)}</text>`
      );
    });
    return (
      `<g transform="translate(${left + p * (width + gap)} ${top})">` +
      `<rect width="${width}" height="${height}" fill="none" stroke="#ccc"/>` +
      `<line x1="0" x2="${width}" y1="${y(0)}" y2="${y(0)}" stroke="#bbb" stroke-dasharray="3 3"/>` +
      `<text x="0" y="-10" font-weight="bold">${title}</text>` +
      `<text x="-6" y="${y(0)}" text-anchor="end" font-size="10" dy="3">0</text>` +
      `<text x="-6" y="${y(low)}" text-anchor="end" font-size="10">${low.toFixed(2)}</text>` +
      `<text x="0" y="${height + 16}" font-size="10">w_p = 0</text>` +
      `<text x="${width}" y="${height + 16}" text-anchor="end" font-size="10">w_p = 1</text>${lines.join("")}</g>`
    );
  });
  const size = [left + 2 * (width + gap) - 60, top + height + 34];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(" ")}" width="${size[0]}" height="${size[1]}" ` +
    'font-family="sans-serif" font-size="12" fill="#444" role="img">' +
    `<title>Content loss less that of masking against w_p, means of ${seeds.length} seeds</title>` +
    `<rect width="${size[0]}" height="${size[1]}" fill="#fff"/>${panels.join("")}</svg>\n`
  );
}

const page = new URL("REPLICATION.md", docs);
let text = readFileSync(page, "utf8");
const sections = { "ratio-means": ways.map(means).join("\n\n"), "ratio-statements": statements() };
for (const [name, section] of Object.entries(sections))
  text = text.replace(
    new RegExp(`<!-- ${name} -->[\\s\\S]*<!-- /${name} -->`),
    () => `<!-- ${name} -->\n${section}\n<!-- /${name} -->`,
  );
writeFileSync(page, text);
writeFileSync(new URL("replication-ratios.svg", docs), picture());
