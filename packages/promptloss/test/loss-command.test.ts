// `promptloss loss` as a user runs it, on a tiny model.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { noGrad } from "@promptloss/torch";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MEASURED, type Measured } from "../src/loss/part-sums.ts";
import { loadModel, saveModel } from "../src/models/index.ts";
import { program } from "./command.ts";
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
interface Row {
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
    env: { ...process.env, NO_COLOR: "1", XDG_CACHE_HOME: join(folder.path, "cache") },
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

  test("says what is wrong", () => {
    expect(run("rows.json", "--class-weight", "answer=1")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("Classes: system, instruction, input, template, completion, end."),
    });
    expect(run("rows.json", "--max-length", "20")).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/rows\.json, row 1/),
    });
    expect(run("nothing.json")).toMatchObject({ status: 1, stderr: expect.stringContaining("nothing.json") });
  });
});
