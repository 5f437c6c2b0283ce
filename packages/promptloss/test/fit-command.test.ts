// `promptloss fit` as a user runs it, on tables that R has fitted too: the repository's own and the shared reference.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import { type Outcome, promptloss } from "./command.ts";
import { sharedPath } from "./shared.ts";

interface GoldenRow {
  readonly [column: string]: string | number | null;
}

const goldens = JSON.parse(
  readFileSync(
    fileURLToPath(new URL("../src/statistics/goldens/mixed-models.json", import.meta.url)),
    "utf8",
  ),
) as { data: GoldenRow[] };

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "fit-"));
  const names = ["plw", "model", "benchmark", "wp", "score"];
  const csv = [names, ...goldens.data.map((row) => names.map((name) => row[name]))];
  writeFileSync(join(folder, "scores.csv"), csv.map((cells) => `${cells.join(",")}\r\n`).join(""));
  const lines = goldens.data.map(({ plw, model, benchmark, score }) => ({ plw, model, benchmark, score }));
  writeFileSync(join(folder, "scores.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
});
afterAll(() => rmSync(folder, { recursive: true }));

function fit(table: string, ...args: string[]): Outcome {
  return promptloss(["fit", join(folder, table), ...args]);
}

const FORMULA = "score ~ wp + wp^2 + (1|model) + (1|benchmark)";

describe("promptloss fit", () => {
  test("takes the scores' own standard errors for a known part of their variances, in the unit of the scores", () => {
    const options = ["--formula", "score ~ wp + (1|task)", "--family", "gaussian", "--reml", "--json"];
    const run = (...args: string[]) => {
      const { status, stdout, stderr } = fit("errors.jsonl", ...options, ...args);
      expect([status, stderr]).toEqual([0, ""]);
      return (JSON.parse(stdout) as { fits: { dispersion: number; logLik: number }[] }).fits[0]!;
    };
    const known = JSON.parse(
      readFileSync(
        fileURLToPath(new URL("../src/statistics/goldens/sampling-errors.json", import.meta.url)),
        "utf8",
      ),
    ) as { data: GoldenRow[] };
    const lines = known.data.map((row) => `${JSON.stringify({ ...row, same: 0.05 })}\n`);
    writeFileSync(join(folder, "errors.jsonl"), lines.join(""));
    const plain = run();
    const same = run("--sampling-error", "same");
    expect(same.dispersion ** 2 + 0.05 ** 2).toBeCloseTo(plain.dispersion ** 2, 7);
    // A hundredth of the unit is a hundredth of the error too.
    const percent = run("--sampling-error", "same", "--transform", "percent");
    expect(100 * percent.dispersion).toBeCloseTo(same.dispersion, 6);
    const wrong = fit("errors.jsonl", "--formula", "score ~ wp", "--sampling-error", "same");
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining("for the Gaussian family")]);
  });

  test("prints all of a fit, and its vertex", () => {
    const { status, stdout, stderr } = fit("scores.csv", "--formula", FORMULA, "--vertex");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatchInlineSnapshot(`
      "Family:        beta (logit link)
      Formula:       score ~ wp + wp^2 + (1|model) + (1|benchmark)
      Method:        maximum likelihood, Laplace approximation
      Observations:  120; groups: model 3, benchmark 8

          AIC      BIC  logLik  -2 logLik  df  residual df
      -166.71  -149.98   89.35    -178.71   6          114

      Random effects
      Group      Effect       Variance  Std. dev.  Correlation
      model      (Intercept)  0.002779    0.05272
      benchmark  (Intercept)    0.2315     0.4811

      Dispersion: precision phi 17.59 (a score's variance is mu (1 - mu) / (1 + phi))

      Fixed effects
                   Estimate  Std. error       z         p
      (Intercept)   -0.2352      0.1962  -1.199    0.2305
      wp              3.258      0.4684   6.957  3.48e-12  ***
      wp^2           -2.294      0.4497  -5.102   3.36e-7  ***
      *** p < 0.001, ** p < 0.01, * p < 0.05, . p < 0.1 (Wald, two-sided)

      Converged.
      note: model has 3 groups: its standard deviation is estimated from that many values

      Effect of wp
      the fitted curve turns inside (quadratic term: p = 1.36e-6), but its top is not told from its value at PLW 1 (p = 0.0532): these data name no best PLW inside.
      "
    `);
  });

  test("of several formulas the last with a square has the vertex, in whatever order", () => {
    const line = "score ~ wp + (1|model) + (1|benchmark)";
    const effectOf = (...formulas: string[]) => {
      const args = formulas.flatMap((formula) => ["--formula", formula]);
      const { status, stdout } = fit("scores.csv", ...args, "--vertex", "--json");
      expect(status).toBe(0);
      return JSON.parse(stdout).effect.vertex.wp;
    };
    expect(effectOf(FORMULA, line)).toBeCloseTo(effectOf(FORMULA), 12);
    expect(effectOf(line, FORMULA)).toBeCloseTo(effectOf(FORMULA), 12);
    expect(fit("scores.csv", "--formula", line, "--vertex").stderr).toContain("has no square of wp");
  });

  test("takes JSONL, adds wp to a table of weights and says so", () => {
    const csv = fit("scores.csv", "--formula", FORMULA, "--json");
    const jsonl = fit("scores.jsonl", "--formula", FORMULA, "--json");
    const [from, to] = [csv, jsonl].map(({ stdout }) => JSON.parse(stdout));
    expect(to.notes).toEqual(["wp = plw^0.30103 was added to the table"]);
    // The CSV's w_p has 12 digits.
    expect(to.fits[0].logLik).toBeCloseTo(from.fits[0].logLik, 6);
    expect(to.fits[0].fitted).toHaveLength(goldens.data.length);
  });

  test("compares formulas, transforms scores within groups, prints modes", () => {
    const small = "score ~ 1 + (1|benchmark)";
    const { status, stdout } = fit(
      "scores.csv",
      ...["--formula", small, "--formula", "score ~ wp + wp^2 + (1|benchmark)", "--modes"],
      ...["--transform", "min-max", "--within", "benchmark", "--transform", "squeeze"],
    );
    expect(status).toBe(0);
    expect(stdout).toMatch(/^transform: min-max, .*\ntransform: squeeze/);
    expect(stdout).toMatch(/Likelihood-ratio tests[\s\S]*score ~ wp/);
    expect(stdout.match(/Conditional modes of benchmark \(\(Intercept\)\)\n {2}b1 /g)).toHaveLength(2);
  });

  test("the Gaussian family by REML, its bootstrap interval in JSON", () => {
    const { stdout } = fit(
      "scores.csv",
      ...["--formula", FORMULA, "--family", "gaussian", "--reml", "--vertex", "--bootstrap", "40", "--json"],
    );
    const { fits, effect } = JSON.parse(stdout);
    expect([fits[0].family, fits[0].reml, fits[0].converged]).toEqual(["gaussian", true, true]);
    expect(effect.bootstrap.plw.lower).toBeLessThanOrEqual(effect.best.plw);
  });

  test("a study's own table: mixed metrics are refused, one is chosen, less is better is turned round", () => {
    const rows = goldens.data.flatMap(({ plw, benchmark, model, score }) => [
      { plw, benchmark, model, metric: "acc", higher_is_better: true, primary: true, value: score },
      {
        plw,
        benchmark,
        model,
        metric: "loss",
        higher_is_better: false,
        primary: false,
        value: -Number(score),
      },
    ]);
    writeFileSync(join(folder, "results.jsonl"), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const formula = "value ~ wp + wp^2 + (1|model) + (1|benchmark)";
    const asked = ["--formula", formula, "--family", "gaussian"];
    const mixed = fit("results.jsonl", ...asked);
    expect(mixed.status).not.toBe(0);
    expect(mixed.stderr).toMatch(/the rows mix 2 metrics: acc, loss[\s\S]*--where metric=acc/);
    const accuracy = fit("results.jsonl", ...asked, "--where", "metric=acc");
    const loss = fit("results.jsonl", ...asked, "--where", "metric=loss");
    expect(accuracy.status).toBe(0);
    expect(loss.stdout).toContain("less is better of loss: value was negated");
    // The losses are the negative accuracies, so that turned round they are the same scores.
    const estimates = ({ stdout }: Outcome): string => stdout.slice(stdout.indexOf("Fixed effects"));
    expect(estimates(loss)).toBe(estimates(accuracy));
    const none = fit("results.jsonl", ...asked, "--where", "metric=bleu");
    expect(none.stderr).toMatch(/no row has metric=bleu/);
  });

  test("formulas that are not nested are compared by AIC", () => {
    const { status, stdout } = fit(
      "scores.csv",
      ...["--formula", "score ~ wp + (1|model)", "--formula", "score ~ wp + wp^2 + (1|benchmark)"],
    );
    expect(status).toBe(0);
    expect(stdout).toContain("Models compared by AIC: less is better");
    expect(stdout).toMatch(/which are not nested: only the smaller one has/);
    expect(stdout).toMatch(/lowest AIC: score ~ wp \+ wp\^2 \+ \(1\|benchmark\), by \d/);
  });

  test("says what is wrong, with the file, and where", () => {
    writeFileSync(join(folder, "holes.csv"), "score,wp\n0.2,0\n0.4,0.5\n1.2,1\n0.1,0.2\n");
    writeFileSync(join(folder, "broken.jsonl"), '{"score": 1}\n{"score": \n');
    const said = (...args: string[]): string => {
      const { status, stderr } = fit(args[0]!, ...args.slice(1));
      return `${status}: ${stderr.replaceAll(`${folder}/`, "")}`;
    };
    expect(said("holes.csv", "--formula", "score ~ wp")).toMatch(/^1: error: holes\.csv: row 3: score/);
    expect(said("scores.csv", "--formula", "score ~ wq")).toMatch(
      /^1: error: [\s\S]*wq[\s\S]*did you mean "wp"/,
    );
    expect(said("scores.csv", "--formula", "score ~ wp +")).toMatch(/^1: error: formula, position/);
    expect(said("broken.jsonl", "--formula", "score ~ wp")).toMatch(/^1: error: broken\.jsonl:2: /);
    expect(said("none.csv", "--formula", "score ~ wp")).toMatch(
      /^1: error: none\.csv: there is no such file\n$/,
    );
    expect(said("scores.xlsx", "--formula", "score ~ wp")).toMatch(/^1: error: [\s\S]*a table ends in \.csv/);
    expect(said("scores.csv", "--formula", FORMULA, "--bootstrap", "9")).toMatch(/^2: .*belong to --vertex/);
    expect(said("scores.csv", "--formula", FORMULA, "--level", "0.9")).toMatch(/^2: .*give --vertex too/);
    expect(said("scores.csv", "--formula", FORMULA, "--vertex", "--seed", "2")).toMatch(
      /^2: .*give --bootstrap/,
    );
    expect(said("scores.csv", "--formula", FORMULA, "--within", "model")).toMatch(/^2: .*min-max/);
    expect(said("scores.csv")).toMatch(/^2: /);
  });
});

interface Reference {
  readonly data: object[];
  readonly fits: {
    readonly name: string;
    readonly formula: string;
    readonly converged: boolean;
    readonly logLik: number;
    readonly coefficients: Readonly<Record<string, { estimate: number; se: number }>>;
  }[];
}

const references = sharedPath("reference", "glmm");

needs("shared", references).describe("the reference sets, through the command", () => {
  test.each(references === undefined ? [] : readdirSync(references))("%s", (name) => {
    const { data, fits } = JSON.parse(readFileSync(join(references!, name), "utf8")) as Reference;
    const table = join(folder, "reference.jsonl");
    writeFileSync(table, data.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const { formula, logLik, coefficients } = fits.find((each) => each.name === "beta_intercepts")!;
    const { status, stdout } = promptloss(["fit", table, "--formula", formula, "--json"]);
    expect(status).toBe(0);
    const [found] = JSON.parse(stdout).fits;
    // Two optimizers agree to what R’s stopping rule leaves.
    expect(Math.abs(found.logLik - logLik)).toBeLessThan(1e-3);
    for (const { name: term, estimate, standardError } of found.coefficients) {
      const { estimate: expected, se } = coefficients[term]!;
      expect(Math.abs(estimate / expected - 1)).toBeLessThan(1e-3);
      expect(Math.abs(standardError / se - 1)).toBeLessThan(1e-3);
    }
  });
});
