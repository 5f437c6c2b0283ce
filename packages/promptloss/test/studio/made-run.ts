// Folders of runs that no training has made: a manifest, and metrics that fall along a curve.
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EvaluationEvent, StepEvent } from "../../src/training/events/event.ts";
import type { Manifest } from "../../src/training/manifest.ts";

export interface MadeRun {
  readonly promptLossWeight?: number;
  /** Done. */
  readonly steps?: number;
  /** Of the whole run. */
  readonly of?: number;
  readonly model?: string;
  readonly startedAt?: string;
  /** How it ended; null where it left no word. */
  readonly end?: Manifest["end"] | null;
}

export function stepLine(step: number, height = 3): StepEvent {
  const loss = height * Math.exp(-step / 40) + 1;
  return {
    ...{ type: "step", step, epoch: 1, loss, gradientNorm: 1 + 1 / step, learningRate: 1e-3 / step },
    ...{ tokens: 100, seconds: 0.5, memory: 3e8 },
    prompt: { loss: loss * 1.5, accuracy: 0.5, tokens: 60 },
    completion: { loss: loss * 0.8, accuracy: 0.7, tokens: 40 },
  };
}

export function evaluationLine(step: number): EvaluationEvent {
  return { type: "evaluation", step, loss: stepLine(step).loss + 0.1, best: true, seconds: 1 };
}

/** Writes a run's folder as training leaves it: with a step's line each, and an evaluation's for every tenth. */
export function makeRun(
  path: string,
  {
    promptLossWeight = 0.1,
    steps = 20,
    of = steps,
    model = "/models/tiny",
    startedAt = "2024-01-02T03:04:05.000Z",
    end = {
      reason: "completed",
      ...{ step: steps, tokens: 100 * steps, seconds: steps / 2, peakMemory: 3e8, writtenStep: steps },
      at: "2024-01-02T04:04:05.000Z",
    },
  }: MadeRun = {},
): void {
  mkdirSync(path, { recursive: true });
  const manifest = {
    ...{ promptloss: "0.1.0", node: "v20.11.0", libtorch: "2.13.0", platform: "linux x64" },
    ...{ processor: "A processor", device: "cpu", threads: 1, precision: "float32" },
    recipe: { model, data: [{ path: "rows.json" }], output: path, loss: { promptLossWeight } },
    ...{ promptLossWeight, normalization: "weight-sum", reduceOver: "batch", seed: 1, steps: of },
    ...{ rows: 20, heldOutRows: 4, parameters: 1000, trainable: 1000, dataHash: "d", modelHash: "m" },
    ...{ fingerprint: "0123456789abcdef0123", notes: ["two rows were longer than 512 tokens"], startedAt },
    ...(end !== null && { end }),
  };
  writeFileSync(join(path, "manifest.json"), JSON.stringify(manifest));
  writeFileSync(join(path, "metrics.jsonl"), "");
  addSteps(path, 1, steps);
}

/** Adds the lines of steps, both ends included. */
export function addSteps(path: string, from: number, to: number): void {
  const lines = Array.from({ length: to - from + 1 }, (_, i) => from + i).flatMap((step) => [
    stepLine(step),
    ...(step % 10 === 0 ? [evaluationLine(step)] : []),
  ]);
  appendFileSync(join(path, "metrics.jsonl"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
