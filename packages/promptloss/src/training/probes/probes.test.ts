import { noGrad, scope } from "@promptloss/torch";
import { expect, test } from "vitest";
import { tinyLlama } from "../../../test/tiny-llama.ts";
import { seededDraw } from "../../data/packing/random.ts";
import { createAdapter, mergeAdapter } from "../../models/index.ts";
import type { MetricsLine } from "../events/metrics-file.ts";
import { distancesOf } from "./distance.ts";
import { stabilityOf } from "./stability.ts";

test("stability is that of the steps' losses alone", () => {
  const line = (type: "step" | "evaluation", loss: number): MetricsLine => ({ type, loss }) as MetricsLine;
  const lines = [line("step", 1), line("evaluation", 50), line("step", 2), line("step", 3)];
  expect(stabilityOf(lines)).toMatchObject({ steps: 3, mean: 2, sd: 1, relativeSd: 0.5 });
  expect(stabilityOf(lines.slice(0, 2))).toBeUndefined();
});

test("without its trend a loss that falls evenly is steady, and noise keeps its size", () => {
  const linesOf = (losses: readonly number[]): MetricsLine[] =>
    losses.map((loss) => ({ type: "step", loss }) as MetricsLine);
  const falling = Array.from({ length: 1001 }, (_, i) => 5 - i / 250);
  const draw = seededDraw(3);
  const noise = falling.map(() => draw(1000) / 1000);
  const [trend, flat, both] = [falling, noise, falling.map((loss, i) => loss + noise[i]!)].map(
    (losses) => stabilityOf(linesOf(losses))!,
  );
  expect(trend!.sd).toBeGreaterThan(1);
  expect(trend!.detrendedSd).toBeCloseTo(1 / 250 / Math.SQRT2, 10);
  expect(flat!.detrendedSd / flat!.sd).toBeCloseTo(1, 1);
  expect(both!.detrendedSd).toBeCloseTo(flat!.detrendedSd, 3);
  expect(stabilityOf(linesOf([0, 0]))).toMatchObject({ relativeSd: undefined, detrendedSd: 0 });
});

test("weights that are not finite have no distance", () => {
  const [model, start] = [tinyLlama(), tinyLlama()];
  noGrad(() => model.parameter("model.norm.weight").fill_(Number.POSITIVE_INFINITY));
  expect(() => distancesOf(model, (name) => start.parameter(name))).toThrow(
    "model.norm.weight has a weight that is not finite",
  );
});

test("distances are those of the weights, by group and in all", () => {
  const [model, start] = [tinyLlama({ dtype: "float64" }), tinyLlama({ dtype: "float64" })];
  noGrad(() =>
    scope(() => {
      model.parameter("model.norm.weight").add_(0.5);
      model.parameter("model.layers.1.mlp.down_proj.weight").select(0, 0).select(0, 0).sub_(3);
    }),
  );
  const { all, groups } = distancesOf(model, (name) => start.parameter(name));
  expect(groups.rest).toMatchObject({ l1: 8, l2: 2 });
  expect(groups["layer 1"]).toMatchObject({ l1: 3, l2: 3 });
  expect(groups["layer 0"]).toMatchObject({ l1: 0, l2: 0, cosine: 1 });
  expect(Object.keys(groups)).toEqual(["embedding", "layer 0", "layer 1", "rest"]);
  expect(all.l1).toBeCloseTo(11, 12);
  expect(all.l2).toBeCloseTo(Math.sqrt(13), 12);
  expect(all.cosine).toBeLessThan(1);
  expect(all.weights).toBe([...model.parameters.values()].reduce((sum, { numel }) => sum + numel, 0));
});

test("an adapter's distance is that of the weights it changes", () => {
  const [model, start] = [tinyLlama(), tinyLlama()];
  model.adapter = createAdapter(model.architecture, { rank: 2 });
  for (const { b } of model.adapter.pairs.values()) noGrad(() => b.uniform_(-0.1, 0.1));
  const adapted = distancesOf(model, (name) => start.parameter(name));
  mergeAdapter(model);
  const merged = distancesOf(model, (name) => start.parameter(name));
  // Merged weights are rounded to float32 once more.
  expect(adapted.all.l2).toBeCloseTo(merged.all.l2, 4);
  expect(adapted.groups["layer 0"]!.cosine).toBeCloseTo(merged.groups["layer 0"]!.cosine!, 6);
});

test("under an adapter, frozen weights that are held in fewer bits have not moved", () => {
  const [model, start] = [tinyLlama({ dtype: "bfloat16" }), tinyLlama()];
  model.adapter = createAdapter(model.architecture, { rank: 2 });
  const { all, groups } = distancesOf(model, (name) => start.parameter(name));
  expect([all.l1, all.l2, groups.embedding!.l2]).toEqual([0, 0, 0]);
});
