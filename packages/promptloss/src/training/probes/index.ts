// Probes: what a finished run says of its mechanism, beside its scores.
import { writeJson } from "../../files/atomic.ts";
import { createModel, loadModel } from "../../models/index.ts";
import { readMetrics } from "../events/metrics-file.ts";
import type { TrainingRun } from "../run.ts";
import { type Distances, distancesOf } from "./distance.ts";
import { type Generations, probeGenerations } from "./generations.ts";
import { type Stability, stabilityOf } from "./stability.ts";

export interface Probes {
  /** Undefined for fewer than two steps. */
  readonly trainingLoss: Stability | undefined;
  /** From the starting weights. */
  readonly distance: Distances;
  /** Where `probes.generations` asks for it. */
  readonly generations?: Generations;
}

/** @param metrics the run's metrics.jsonl */
export const probeRun = async (run: TrainingRun, metrics: string): Promise<Probes> => {
  const { model, tokenizer, rows, recipe } = run;
  const wanted = recipe.probes.generations;
  const generations =
    wanted && tokenizer && (await probeGenerations(model, tokenizer, rows, { ...wanted, seed: recipe.seed }));
  return {
    trainingLoss: stabilityOf(readMetrics(metrics)),
    distance: distanceFromStart(run),
    ...(generations && { generations }),
  };
};

export const writeProbes = (path: string, probes: Probes): void => writeJson(path, probes);

const distanceFromStart = ({ model, recipe }: TrainingRun): Distances => {
  const start =
    recipe.initialize === "random"
      ? createModel(model.config, { seed: recipe.seed, trainable: false })
      : loadModel(recipe.model!);
  try {
    return distancesOf(model, (name) => start.parameter(name));
  } finally {
    start.free();
  }
};
