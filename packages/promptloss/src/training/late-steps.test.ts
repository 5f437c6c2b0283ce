// Training as on an accelerator, on the CPU: the same run, and how often it reads something back.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  hasAdamwSteps,
  type ProfileEvent,
  readSafetensors,
  startProfile,
  stopProfile,
  useFusedKernels,
} from "@promptloss/torch";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { countedReads, isLook } from "../../test/host-reads.ts";
import { type TrainingFolder, trainingFolder } from "../../test/training-folder.ts";
import { forceAccelerator } from "../models/device-strategy.ts";
import { readRecipe } from "../recipe/index.ts";
import { DivergenceError } from "./errors.ts";
import type { TrainingEvent as RunEvent, StepEvent } from "./events/event.ts";
import { runTraining } from "./run-training.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());
afterEach(() => {
  forceAccelerator(false);
  useFusedKernels(true);
  vi.restoreAllMocks();
});

async function trained(name: string, text: string, accelerator: boolean): Promise<RunEvent[]> {
  forceAccelerator(accelerator);
  const events: RunEvent[] = [];
  try {
    await runTraining(readRecipe(folder.recipe(name, text)), {
      tokenCache: join(folder.path, "tokens"),
      onEvent: (event) => events.push(event),
    });
  } finally {
    forceAccelerator(false);
  }
  return events;
}

function stepsOf(events: readonly RunEvent[]): StepEvent[] {
  return events.filter((event) => event.type === "step");
}

const COMMON = "learningRate: 0.01, batchSize: 8, epochs: 3, logEvery: 4, threads: 1";

const LOSS_NODE =
  "torch::autograd::CppNode<promptloss::weighted_cross_entropy_operator::WeightedCrossEntropy>";

describe.skipIf(!hasAdamwSteps())("as on an accelerator", () => {
  test.each([
    ["full", `training: {${COMMON}, microBatchTokens: 40, maxGradNorm: 0.1, precision: float32}`],
    ["checkpointing", `training: {${COMMON}, gradientCheckpointing: true, precision: float32}`],
    ["penalty", `training: {${COMMON}, kl: {coefficient: 0.3}, precision: float32}\nlora: {rank: 2}`],
    [
      "reweighting",
      `loss: {reweighting: dft, promptLossWeight: 0.2}\ntraining: {${COMMON}, precision: float32}\nevaluation: {rows: 4, every: 2}\ncheckpoints: {every: 3}`,
    ],
  ])("a run is the same to rounding: %s", async (name, text) => {
    const early = await trained(`${name}-early`, text, false);
    const late = await trained(`${name}-late`, text, true);
    const order = (all: readonly RunEvent[]) =>
      all.map(({ type }) => type).filter((type) => type !== "progress");
    expect(order(late)).toEqual(order(early));
    for (const [i, step] of stepsOf(late).entries()) {
      const wanted = stepsOf(early)[i]!;
      const { step: number, epoch, tokens, learningRate } = step;
      expect({ number, epoch, tokens, learningRate }).toEqual({
        number: wanted.step,
        epoch: wanted.epoch,
        tokens: wanted.tokens,
        learningRate: wanted.learningRate,
      });
      // float32 sums in another order, over some steps of a rate that moves everything.
      for (const key of ["loss", "gradientNorm", "penalty"] as const)
        expect(step[key] ?? 0, `${key} of step ${number}`).toBeCloseTo(wanted[key] ?? 0, 3);
      for (const part of ["prompt", "content", "end"] as const) {
        expect(step[part]?.tokens).toBe(wanted[part]?.tokens);
        expect(step[part]?.loss ?? 0).toBeCloseTo(wanted[part]?.loss ?? 0, 3);
        expect(step[part]?.accuracy ?? 0).toBeCloseTo(wanted[part]?.accuracy ?? 0, 3);
      }
      expect(step.seconds).toBeGreaterThan(0);
    }
    const written = (kind: string) => join(folder.path, `${name}-${kind}`, "model");
    const file = existsSync(join(written("late"), "model.safetensors"))
      ? "model.safetensors"
      : "adapter_model.safetensors";
    const [found, wanted] = ["late", "early"].map((kind) => readSafetensors(join(written(kind), file)));
    for (const [key, tensor] of found!.entries())
      expect(tensor.sub(wanted!.get(key)!).abs().amax().item(), key).toBeLessThan(2e-3);
  });

  test("reads once per line of the log, whatever there is of steps and micro-batches", async () => {
    const readsSoFar = countedReads();
    useFusedKernels(false);
    forceAccelerator(true);
    const reads: number[] = [];
    let events: readonly ProfileEvent[] = [];
    const text = `training: {${COMMON}, microBatchTokens: 40, precision: float32}\ncheckpoints: {every: never}`;
    await runTraining(readRecipe(folder.recipe("reads", text)), {
      tokenCache: join(folder.path, "tokens"),
      onEvent: ({ type }) => {
        if (type !== "step") return;
        reads.push(readsSoFar());
        // All steps but the first, and nothing after the last.
        if (reads.length === 1) startProfile();
        if (reads.length === 9) events = stopProfile().events;
      },
    });
    // Told in groups: step 1, steps 2 to 4, 5 to 8, and the last one.
    const distinct = [...new Set(reads)];
    expect(reads).toHaveLength(9);
    expect(distinct).toEqual(distinct.map((_, i) => distinct[0]! + i));
    expect(distinct).toHaveLength(4);
    // On the CPU a backward pass looks at the gradient of each loss, and AdamW's kernel at its numbers; nothing else does.
    const named = (name: string) => events.filter((event) => event.name === name);
    const ours = [...named("aten::_fused_adamw_"), ...named(LOSS_NODE)];
    const looks = events
      .filter(isLook)
      .filter(
        ({ start }) => !ours.some((outer) => outer.start <= start && start <= outer.start + outer.duration),
      );
    expect(ours.length).toBeGreaterThan(8);
    expect(looks).toEqual([]);
  });

  test("a loss that is not finite changes no weights, and ends the run where it is read", async () => {
    const text = `training: {${COMMON}, precision: float32, warmupSteps: 0}`.replace("0.01", "1e30");
    forceAccelerator(true);
    const events: RunEvent[] = [];
    const run = runTraining(readRecipe(folder.recipe("diverges", text)), {
      tokenCache: join(folder.path, "tokens"),
      onEvent: (event) => events.push(event),
    });
    await expect(run).rejects.toThrow(DivergenceError);
    // Step 1 leaps; the loss of step 2 is no number, which is read with steps 3 and 4.
    await expect(run).rejects.toThrow(/step 2/);
    expect(stepsOf(events).map(({ step }) => step)).toEqual([1]);
    const metrics = readFileSync(join(folder.path, "diverges", "metrics.jsonl"), "utf8");
    expect(metrics.trim().split("\n")).toHaveLength(1);
  });
});
