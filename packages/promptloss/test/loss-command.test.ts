// `promptloss loss` as a user runs it, on a tiny model.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { noGrad } from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MEASURED, type Measured } from "../src/loss/part-sums.ts";
import { loadModel, saveModel } from "../src/models/index.ts";
import { program, promptloss } from "./command.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

interface Side {
  loss: number;
  accuracy: number;
  tokens: number;
}
interface Token {
  id: number;
  token: string;
  class: string;
  weight?: number;
  loss?: number;
  correct?: boolean;
}
interface Row {
  tokens?: Token[];
  file: string;
  row: number;
  prompt: Side;
  content: Side;
  end: Side;
  completion: Side;
}
interface Totals {
  rows: number;
  loss: number;
  promptLossWeight: number;
  gradientNorm?: number;
  gradientNorms?: Record<string, number>;
  prompt: Side;
  content: Side;
  end: Side;
  completion: Side;
}

function run(...args: string[]) {
  return spawnSync(process.execPath, [program, "loss", "model", ...args], {
    cwd: folder.path,
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: join(folder.path, "cache") },
  });
}

function measure(...args: string[]): { rows: Row[]; totals: Totals } {
  const { status, stdout, stderr } = run("rows.json", ...args);
  expect([status, stderr]).toEqual([0, ""]);
  const lines = stdout.trim().split("\n");
  const rows = lines.slice(0, -1).map((line) => JSON.parse(line) as Row);
  return { rows, totals: (JSON.parse(lines.at(-1)!) as { totals: Totals }).totals };
}

function sum(rows: readonly Row[], of: (row: Row) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}

describe("promptloss loss", () => {
  test("prints each row in order, and totals that are the rows' sums", () => {
    const { rows, totals } = measure("--plw", "0.25");
    expect(rows.map(({ file, row }) => [file, row])).toEqual(rows.map((_, i) => ["rows.json", i + 1]));
    expect(rows).toHaveLength(24);
    const losses = (part: Measured): number => sum(rows, (row) => row[part].loss * row[part].tokens);
    const tokens = (part: Measured): number => sum(rows, (row) => row[part].tokens);
    for (const part of MEASURED) {
      expect(totals[part].tokens).toBe(tokens(part));
      expect(totals[part].loss).toBeCloseTo(losses(part) / tokens(part), 10);
    }
    // One stop token ends each row.
    expect(totals.end.tokens).toBe(24);
    expect(losses("completion")).toBeCloseTo(losses("content") + losses("end"), 10);
    expect(totals.end.loss).not.toBeCloseTo(totals.content.loss, 2);
    const expected =
      (0.25 * losses("prompt") + losses("completion")) / (0.25 * tokens("prompt") + tokens("completion"));
    // float32 sums in another order.
    expect(totals.loss).toBeCloseTo(expected, 4);
  });

  test("takes class weights and normalizations", () => {
    const { rows, totals } = measure("--plw", "0", "--normalization", "completion-count");
    const answers = sum(rows, ({ completion }) => completion.loss * completion.tokens);
    expect(totals.loss).toBeCloseTo(answers / totals.completion.tokens, 4);
    const noStop = measure("--plw", "0", "--class-weight", "end=0", "--limit", "3").totals;
    expect([noStop.rows, noStop.loss]).not.toEqual([3, totals.loss]);
  });

  test("gives gradient norms, of which the whole is made up", () => {
    const { totals } = measure("--gradients", "--micro-batch-tokens", "300");
    const parts = Object.values(totals.gradientNorms!);
    expect(totals.gradientNorm).toBeCloseTo(Math.hypot(...parts), 5);
    // The head is not tied here: embedding, head, final norm, and nine parameters a layer.
    expect(parts).toHaveLength(21);
    const whole = measure("--gradients").totals;
    expect(whole.gradientNorm).toBeCloseTo(totals.gradientNorm!, 4);
  });

  test("--tokens gives every token's loss, of which the row's parts are made up", () => {
    const { rows } = measure("--plw", "0.25", "--tokens", "--limit", "3");
    for (const { tokens, ...row } of rows) {
      const [first, ...rest] = tokens!;
      expect(first).toEqual({ id: 1, token: "<s>", class: "template" });
      expect(rest.at(-1)).toMatchObject({ token: "</s>", class: "end", weight: 1 });
      const parts = { prompt: [] as Token[], content: [] as Token[], end: [] as Token[] };
      for (const token of rest) {
        const part = token.class === "completion" ? "content" : token.class === "end" ? "end" : "prompt";
        parts[part].push(token);
        expect(token.weight).toBe(part === "prompt" ? 0.25 : 1);
      }
      for (const part of ["prompt", "content", "end"] as const) {
        const { loss, accuracy, tokens: count } = row[part];
        expect(parts[part]).toHaveLength(count);
        expect(parts[part].reduce((total, token) => total + token.loss!, 0) / count).toBeCloseTo(loss, 10);
        expect(parts[part].filter(({ correct }) => correct).length / count).toBeCloseTo(accuracy, 10);
      }
    }
  });

  test("smoothing and reweighting are of the totals, as training computes them", () => {
    const { rows, totals } = measure("--plw", "0.25", "--tokens", "--reweighting", "dft");
    expect(totals).toMatchObject({ reweighting: "dft" });
    const tokens = rows.flatMap((row) => row.tokens!.slice(1));
    const weights = tokens.reduce((total, { weight }) => total + weight!, 0);
    const factored = tokens.reduce(
      (total, { weight, loss }) => total + weight! * Math.exp(-loss!) * loss!,
      0,
    );
    // float32 sums in another order.
    expect(totals.loss).toBeCloseTo(factored / weights, 4);
    const smooth = measure("--plw", "0.25", "--label-smoothing", "0.3");
    expect(smooth.totals).toMatchObject({ labelSmoothing: 0.3 });
    const plain = measure("--plw", "0.25");
    expect(smooth.rows).toEqual(plain.rows);
    expect(Math.abs(smooth.totals.loss - plain.totals.loss)).toBeGreaterThan(1e-3);
    const file = folder.recipe("smooth", "loss: { promptLossWeight: 0.25, labelSmoothing: 0.3 }\n");
    const { stdout } = run(file, "--gradients");
    const last = JSON.parse(stdout.trim().split("\n").at(-1)!) as { totals: Totals };
    expect(last.totals.loss).toBeCloseTo(smooth.totals.loss, 5);
  });

  test("a model with weights that are not numbers is refused, with the row where that shows", () => {
    const model = loadModel(join(folder.path, "model"));
    noGrad(() => model.parameter("model.norm.weight").fill_(Number.NaN));
    saveModel(model, join(folder.path, "damaged"), { companions: join(folder.path, "model") });
    model.free();
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [program, "loss", "damaged", "rows.json"],
      { cwd: folder.path, encoding: "utf8" },
    );
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/rows\.json, row 1: the model's loss is NaN\nhint: weights that are not finite/);
  });

  test("the folder of a run is its model, with the template that it was trained with", () => {
    const recipe = folder.recipe("trained", "template: plain\ntraining: { steps: 1, batchSize: 4 }\n");
    expect(promptloss(["train", recipe]).status).toBe(0);
    const of = (...args: string[]): string => {
      const { status, stdout, stderr } = promptloss(["loss", ...args]);
      expect([status, stderr]).toEqual([0, ""]);
      return stdout;
    };
    const [run, rows] = [join(folder.path, "trained"), join(folder.path, "rows.json")];
    const measured = of(run, rows);
    expect(measured).toBe(of(join(run, "model"), rows, "--template", "plain"));
    expect(measured).not.toBe(of(run, rows, "--template", "alpaca"));
  });

  test("says what is wrong", () => {
    expect(run("rows.json", "--class-weight", "answer=1")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(
        "Classes: system, instruction, input, template, completion, end, tool-definition,",
      ),
    });
    expect(run("rows.json", "--max-length", "20")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/rows\.json, row 1/),
    });
    expect(run("nothing.json")).toMatchObject({ status: 1, stderr: expect.stringContaining("nothing.json") });
  });
});
