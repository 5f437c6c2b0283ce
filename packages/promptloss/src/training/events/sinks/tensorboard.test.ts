import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../../../../../../test/needs.ts";
import { eventSteps } from "../../../../test/event-files.ts";
import type { StepEvent } from "../event.ts";
import { crc32c } from "./crc.ts";
import { TensorBoardSink } from "./tensorboard.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tensorboard-"));
  const file = new TensorBoardSink(folder);
  file.open({ start: { firstStep: 0 } });
  for (const step of [1, 2, 300]) file.add(stepOf(step));
  file.add({ type: "evaluation", step: 300, loss: 0.5, best: true, seconds: 1 });
  void file.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function stepOf(step: number): StepEvent {
  return {
    type: "step",
    step,
    epoch: 1,
    loss: 1 / step,
    content: { loss: 2 / step, accuracy: 0.25, tokens: 8 },
    gradientNorm: 3,
    learningRate: 1e-3,
    tokens: 100,
    seconds: 2,
    memory: 1,
  };
}

test("crc32c gives the check value of the CRC catalog", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
});

test("records are framed whole", () => {
  const bytes = readFileSync(join(folder, readdirSync(folder)[0]!));
  let records = 0;
  for (let at = 0; at < bytes.length; records++) at += 12 + Number(bytes.readBigUInt64LE(at)) + 4;
  expect(records).toBe(5);
  expect(bytes.includes("brain.Event:2")).toBe(true);
});

test("a run that goes on from a step takes back what lies beyond it, in files and in half a record", () => {
  const path = mkdtempSync(join(tmpdir(), "tensorboard-"));
  const write = (afterStep: number, steps: readonly number[]): void => {
    const file = new TensorBoardSink(path);
    file.open({ start: { firstStep: afterStep } });
    for (const step of steps) file.add(stepOf(step));
    void file.close();
  };
  try {
    write(0, [1, 2, 3, 4, 5]);
    const [first] = readdirSync(path);
    writeFileSync(join(path, first!), readFileSync(join(path, first!)).subarray(0, -3));
    // Killed in step 5; the checkpoint was of step 2.
    write(2, [3, 4]);
    // The first 3 is the mark by which a TensorBoard that is running forgets steps from there on.
    expect(eventSteps(path)).toEqual([1, 2, 3, 3, 4]);
    write(3, [4]);
    expect(eventSteps(path)).toEqual([1, 2, 3, 3, 4, 4]);
    // Back by two checkpoints: a file that began later goes whole.
    write(1, [2]);
    expect(eventSteps(path)).toEqual([1, 2, 2]);
    write(0, [1]);
    expect(eventSteps(path)).toEqual([1]);
  } finally {
    rmSync(path, { recursive: true });
  }
});

const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
const hasReader = spawnSync(python, ["-c", "import tensorboard"]).status === 0;

needs("python", hasReader).test(`TensorBoard reads them`, () => {
  const program = fileURLToPath(new URL("../../../test/python/read_tensorboard.py", import.meta.url));
  const { stdout, stderr } = spawnSync(python, [program, folder], { encoding: "utf8" });
  const scalars = JSON.parse(stdout || stderr) as Record<string, [number, number][]>;
  expect(scalars["train/loss"]).toEqual([
    [1, 1],
    [2, 0.5],
    [300, Math.fround(1 / 300)],
  ]);
  expect(scalars["train/content_accuracy"]?.map(([, value]) => value)).toEqual([0.25, 0.25, 0.25]);
  expect(scalars["speed/tokens_per_second"]?.[0]).toEqual([1, 50]);
  expect(scalars["held-out/loss"]).toEqual([[300, 0.5]]);
  expect(Object.keys(scalars)).not.toContain("train/prompt_loss");
});
