import { expect, test } from "vitest";
import { tinyLlama } from "../../test/tiny-llama.ts";
import { createAdapter } from "../models/index.ts";
import { firstThatFits, memoryByMode, memoryEstimate } from "./memory-estimate.ts";
import type { TrainingRun } from "./run.ts";

function runOf(model = tinyLlama(), settings: object = {}): TrainingRun {
  return {
    model,
    settings: { microBatch: { rows: 1 }, compute: undefined, ...settings },
    rows: { lengths: Int32Array.of(1) },
  } as unknown as TrainingRun;
}

const model = tinyLlama();
const bytes = 4 * [...model.parameters.values()].reduce((sum, { numel }) => sum + numel, 0);
/** Embedding and head of 32 × 16, final norm, layers. */
const [table, norm] = [4 * 32 * 16, 4 * 16];
const layer = (bytes - 2 * table - norm) / 2;

test("one process has all, however it is to be divided", () => {
  const modes = memoryByMode(runOf(), 1);
  for (const { weights, gradients, optimizer } of Object.values(modes))
    expect([weights, gradients, optimizer]).toEqual([bytes, bytes, 2 * bytes]);
});

test("each mode divides one thing more, and counts what is there for a time", () => {
  const { none, optimizer, gradients, full } = memoryByMode(runOf(), 4);
  const travelling = 2 * Math.max(table + norm, layer);
  const parts = [table, layer, layer, table + norm];
  const gathered = Math.max(...parts.slice(1).map((part, place) => part + parts[place]!));
  expect(
    [none, optimizer, gradients, full].map((mode) => [mode.weights, mode.gradients, mode.optimizer]),
  ).toEqual([
    [bytes, bytes, 2 * bytes],
    [bytes, bytes, bytes / 2],
    [bytes, bytes / 4 + travelling, bytes / 2],
    [bytes / 4 + gathered, bytes / 4 + travelling, bytes / 2],
  ]);
  expect(none.activations).toBe(full.activations);
});

test("what penalties remember is divided as weights are, or as what is trained is", () => {
  const settings = { minkowski: { order: 2, coefficient: 1 }, kl: { coefficient: 1 } };
  const [plain, with_] = [runOf(), runOf(model, settings)].map((run) => memoryByMode(run, 4)) as [
    ReturnType<typeof memoryByMode>,
    ReturnType<typeof memoryByMode>,
  ];
  expect(with_.none.weights - plain.none.weights).toBe(2 * bytes);
  expect(with_.gradients.weights - plain.gradients.weights).toBe(bytes + bytes / 4);
  expect(with_.full.weights - plain.full.weights).toBe(bytes / 2);
});

test("under an adapter only full divides what is frozen", () => {
  const adapted = tinyLlama({ trainable: false, config: { num_hidden_layers: 12 } });
  adapted.adapter = createAdapter(adapted.architecture, { rank: 2 });
  const modes = memoryByMode(runOf(adapted), 4);
  expect(modes.gradients.weights).toBe(modes.none.weights);
  expect(modes.full.weights).toBeLessThan(modes.none.weights);
  expect(modes.none.gradients).toBeLessThan(modes.none.weights / 4);
});

test("the first that fits is the one that sends least", () => {
  const modes = memoryByMode(runOf(), 4);
  expect(firstThatFits(modes, modes.none.total)).toBe("none");
  expect(firstThatFits(modes, modes.none.total - 1)).toBe("optimizer");
  expect(firstThatFits(modes, 0)).toBeUndefined();
  expect(memoryEstimate(runOf(), { sharding: "full", processes: 4 })).toEqual(modes.full);
});
