// Pages of studies of every shape: whole ones, and those that lack something.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { benchmarks, madeStudy } from "../../test/report/made-study.ts";
import { analysisSettings, type StudyResults } from "../study/results/index.ts";
import type { ReportCell } from "./content/report-cells.ts";
import { studyContent } from "./content/study-content.ts";
import { pageScript } from "./html/page-script.ts";
import { renderReport } from "./render-report.ts";

const options = { date: new Date("2024-01-02"), version: "1.2.3" };

function pageOf(results: StudyResults, cells: readonly ReportCell[] = []): string {
  return renderReport(studyContent(results, cells), options).page;
}

/** The page's own script is the one that it may have. */
function withoutScript(page: string): string {
  const parts = page.split(`<script>${pageScript}</script>`);
  expect(parts).toHaveLength(2);
  return parts.join("");
}

/** The text of a page's body, tags left out. */
function textOf(page: string): string {
  return withoutScript(page)
    .replace(/[\s\S]*<body>/, "")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll("&#39;", "'")
    .replaceAll(/\s+/g, " ");
}

/** What no page may hold: a value that is no number, an address to load from, a script of another's. */
function expectSound(whole: string): void {
  const page = withoutScript(whole);
  const bare = page.replaceAll(/"[^"]*"/g, '""');
  const faults = [
    ...page.matchAll(/.{0,40}(\bNaN\b|\bundefined\b|\bInfinity\b|\[object|url\((?!#)).{0,40}/g),
    ...bare.matchAll(/<(script|img|iframe|[a-z][^>]*\s(src|xlink:href|on\w+)=).{0,40}/g),
    ...page.matchAll(/href="(?!#|data:).{0,40}/g),
  ];
  expect(faults.map(([fault]) => fault)).toEqual([]);
}

const small = { seeds: [1, 2], models: ["one"], ratios: [{ ratio: 0.1, curvature: 3 }] };

test("with one cell a weight, points of groups have intervals from their tasks' standard errors", () => {
  const made = madeStudy({ ...small, seeds: [1], weights: [0, 0.1, 1] });
  // Of one benchmark all tasks are the benchmark, in its own deviations within blocks, of which there is one.
  const rows = made.rows.filter(({ task }) => task === "wmt16_de_en");
  const page = pageOf({ ...made, rows });
  const values = rows.map(({ value }) => value);
  const mean = values.reduce((sum, y) => sum + y, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, y) => sum + (y - mean) ** 2, 0) / (values.length - 1));
  const reach = (1.959964 * rows[0]!.standardError!) / deviation;
  const tips = [...page.matchAll(/PLW 0\.1: ([\d.-]+) \(([\d.-]+) to ([\d.-]+)\)/g)].map((found) =>
    found.slice(1).map(Number),
  );
  expect(tips.length).toBeGreaterThanOrEqual(2);
  const [shown, lower, upper] = tips[0]!;
  expect(shown).toBeCloseTo((rows[1]!.value - mean) / deviation, 3);
  expect(upper! - shown!).toBeCloseTo(reach, 3);
  expect(shown! - lower!).toBeCloseTo(reach, 3);
});

describe("settings in the method", () => {
  const recipeOf = (plw: number) => ({
    loss: { promptLossWeight: plw, normalization: "weight-sum" },
    training: { epochs: 3, learningRate: 2e-5 },
    maxLength: 512,
    data: [{ path: "short.json" }],
    evaluation: { data: [{ path: "a.json" }, { path: "b.json" }] },
  });
  const cells = [0, 1].map(
    (plw): ReportCell => ({
      ...{ id: `cell-${plw}`, levels: { plw }, attempts: 1, recipe: recipeOf(plw) },
      ...{ state: "done", failure: undefined, run: undefined },
    }),
  );
  const judge = { endpoint: "http://127.0.0.1:8000/v1", model: "mixtral" };
  const tasks = [
    { task: "arc_challenge", options: { data: "/home/me/rows", shots: 25 } },
    { task: "piqa", options: {} },
    { task: "alpaca-eval", options: { reference: "davinci.jsonl", judge } },
  ];
  const text = textOf(pageOf({ ...madeStudy(small), tasks }, cells));

  test("what the cells share, and what they differ in", () => {
    expect(text).toContain("Cells differ in loss.promptLossWeight. What they share:");
    for (const line of [
      "loss.normalization: weight-sum",
      "training.epochs: 3",
      "data.path: short.json",
      "evaluation.data.2.path: b.json",
      "training.learningRate: 0.00002",
    ])
      expect(text).toContain(line);
    expect(text).not.toContain("loss.promptLossWeight: ");
  });

  test("shots, judges and limits of tasks, without this machine's folders", () => {
    expect(text).toMatch(
      /Settings of tasks this study's file arc_challenge: shots 25 alpaca-eval: reference/,
    );
    expect(text).toContain("judge.endpoint http://127.0.0.1:8000/v1, judge.model mixtral");
    expect(text).toMatch(/Decoding for AlpacaEval our choice Greedy, with at most 512 new tokens/);
    expect(text).not.toContain("/home/me");
  });
});

describe("a whole study", () => {
  const page = pageOf(madeStudy());
  const text = textOf(page);

  test("says what was found, and where nothing was", () => {
    expectSound(page);
    expect(text).toMatch(/Multiple choice 0\.082 peak 0\.2\d+ \(/);
    expect(text).toMatch(/Long generation 0\.082 rises 0\.5 to 1 alike/);
    expect(text).toMatch(/Rg 3\.27: flat Flat: nothing here tells the weights from PLW 0 to 1 apart/);
  });

  test("has a chart with words for each group, benchmark and probe, and heatmaps in two sizes", () => {
    const charts = [...page.matchAll(/<svg [^>]*>/g)].map(([tag]) => tag);
    // All tasks in two sizes; three groups, six benchmarks; four by ratio; two ratios and the cells, twice each; nine
    // probes; residuals and what is left out, of two ratios each.
    expect(charts).toHaveLength(2 + 3 + 6 + 4 + 2 * 3 + 9 + 2 * 2);
    for (const tag of charts) expect(tag).toMatch(/role="img" aria-label="[^"]{40,}"/);
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("draws best weights by generation ratio, and says where there is none", () => {
    const alts = [...page.matchAll(/aria-label="([^"]*best prompt loss weight against[^"]*)"/g)];
    expect(alts.map(([, alt]) => alt)).toEqual([
      expect.stringMatching(/^All tasks: .* No best weight at Rg 3\.27/),
      expect.stringMatching(/^Multiple choice: .* Rg 0\.082: PLW 0\.2/),
      expect.stringMatching(/^Short generation: .* Rg 0\.082: PLW 0\.2/),
      expect.stringMatching(/^Long generation: .* Rg 0\.082: PLW 1, an end of the range/),
    ]);
  });

  test("marks the paper's choices and ours", () => {
    for (const choice of ["Weights the paper's", "Family our choice", "Formula our choice"])
      expect(text).toContain(choice);
    // What the family is, and that the paper's is another one.
    expect(text).toContain("The paper's family is beta; it stands beside");
    // A weight is a choice with what it may cost, and what is ours is never told as the paper's.
    expect(text).toMatch(/All tasks 3\.27 [\d.]+ [\d.]+ standard deviations of a task's scores [\d.]+ %/);
    expect(text).toMatch(/not available to us \(ours\)/);
  });

  test("is the same page every time", () => {
    expect(pageOf(madeStudy()) === page).toBe(true);
  });

  test("holds the table and the models", () => {
    const links = [...page.matchAll(/download="([^"]+)" href="data:[^,]+;base64,([^"]*)"/g)];
    const [csv, jsonl, models] = links.map(([, , data]) => Buffer.from(data!, "base64").toString());
    const { rows } = madeStudy();
    expect(csv!.split("\n")).toHaveLength(rows.length + 2);
    expect(
      jsonl!
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line).value),
    ).toEqual(rows.map(({ value }) => value));
    // All tasks and three groups, six benchmarks; two ratios each.
    expect(JSON.parse(models!).models).toHaveLength(2 * (4 + 6));
  });
});

test.each([
  ["small", 0.02, /each score's own standard error for/],
  ["larger than what differs", 20, /estimated at zero/],
])("known sampling errors that are %s are told, and make a sound page", (_, times, said) => {
  const made = madeStudy(small);
  const page = pageOf({
    ...made,
    analysis: analysisSettings({ samplingError: "known" }),
    rows: made.rows.map((row) => ({ ...row, standardError: times * (row.standardError ?? 0) })),
  });
  expectSound(page);
  const words = textOf(page);
  expect(words).toMatch(said);
  expect(words).toContain("Sampling error this study's file");
  expect(words).toContain("entered as known variances");
  expect(textOf(pageOf(made))).toContain("Sampling error our choice");
});

describe("studies that lack something", () => {
  test.each([
    ["no row", { ...madeStudy(small), rows: [] }, /There is nothing to model yet/],
    [
      "one weight",
      madeStudy({ ...small, weights: [0.1] }),
      /all cells have one prompt loss weight: there is nothing to compare/,
    ],
    ["one seed", madeStudy({ ...small, seeds: [1] }), /rises, then flat|peak/],
    ["one cell", madeStudy({ ...small, weights: [0.1], seeds: [1] }), /1 cell|One cell of 1 with scores/],
    ["no probes", madeStudy({ ...small, probes: false }), /have measured no probes/],
    ["one benchmark", madeStudy({ ...small, benchmarks: benchmarks.slice(0, 1) }), /one benchmark/],
    [
      "tasks of no group",
      madeStudy({ ...small, benchmarks: benchmarks.map((each) => ({ ...each, group: null })) }),
      /Other tasks, each benchmark/,
    ],
    [
      "a benchmark without variation",
      withRows(madeStudy(small), (row) => (row.task === "piqa" ? { ...row, value: 0.5 } : row)),
      /No two different values: there is nothing to fit/,
    ],
    [
      "many generation ratios",
      madeStudy({ ...small, ratios: [0.1, 0.3, 1, 3].map((ratio) => ({ ratio, curvature: 2 })) }),
      /Surface of 80 scores/,
    ],
    [
      "a run that diverged",
      withRows(madeStudy(small), (row, i) => (i < 6 ? { ...row, value: Number.NaN } : row)),
      /1 run diverged or gave a score that is no number, which counts as the worst one of the same block: PLW 0, /,
    ],
    [
      "no generation ratio",
      withRows(madeStudy(small), (row) => ({ ...row, generationRatio: null })),
      /All tasks (peak|rises, then flat)/,
    ],
  ])("%s", (_, results, expected) => {
    const page = pageOf(results);
    expectSound(page);
    expect(textOf(page)).toMatch(expected);
  });

  test("cells that failed are told with their reason, and those that wait are counted", () => {
    const whole = madeStudy(small);
    const gone = new Set([whole.rows[0]!.cell, whole.rows.at(-1)!.cell]);
    const results = { ...whole, rows: whole.rows.filter(({ cell }) => !gone.has(cell)) };
    const failure = { name: "TrainingError", message: "the loss is no number", during: "training" } as const;
    const [first, last] = [whole.rows[0]!, whole.rows.at(-1)!].map(({ cell, factors }, i) => ({
      ...{ id: cell, levels: factors, attempts: 1 - i, run: undefined },
      ...(i === 0 ? { state: "failed" as const, failure } : { state: undefined, failure: undefined }),
    }));
    const page = pageOf(results, [first!, last!]);
    expectSound(page);
    const text = textOf(page);
    expect(text).toContain("18 cells of 20 with scores");
    expect(text).toMatch(/1 failed, 1 not finished|One cell failed/i);
    expect(text).toContain("the loss is no number");
    expect(page.includes("✗</text>")).toBe(true);
  });

  test("any part of a study makes a sound page", () => {
    const { rows, ...rest } = madeStudy({ ...small, benchmarks: benchmarks.slice(2, 5), probes: true });
    fc.assert(
      fc.property(fc.subarray([...rows], { maxLength: 14 }), (some) =>
        expectSound(pageOf({ ...rest, rows: some })),
      ),
      { numRuns: 25 },
    );
  });
});

test("names from data are text on the page, whatever they hold", () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;`;
  const results = withRows(madeStudy({ ...small, name: hostile }), (row) => ({
    ...row,
    ...{ task: `${hostile}${row.task}`, metric: hostile, factors: { ...row.factors, [hostile]: hostile } },
    probes: { [hostile]: row.wp },
  }));
  const page = pageOf({ ...results, factors: [...results.factors, hostile], probes: [hostile] });
  expectSound(page);
  expect(textOf(page)).toContain("&lt;script&gt;");
});

function withRows(
  results: StudyResults,
  change: (row: StudyResults["rows"][number], i: number) => StudyResults["rows"][number],
): StudyResults {
  return { ...results, rows: results.rows.map(change) };
}
