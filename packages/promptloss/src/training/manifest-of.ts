// What is written of a run as it begins.
import { getNumThreads, libtorch } from "@promptloss/torch";
import { readProcessor } from "../machine/processor.ts";
import { version } from "../version.ts";
import type { Manifest } from "./manifest.ts";
import type { TrainingRun } from "./run.ts";

export function manifestOf(run: TrainingRun): Manifest {
  const { model, settings, recipe } = run;
  return {
    promptloss: version,
    node: process.version,
    libtorch: libtorch().version,
    platform: `${process.platform} ${process.arch}`,
    processor: readProcessor().model,
    device: model.device,
    threads: getNumThreads(),
    ...(run.processes > 1 && { processes: run.processes }),
    precision: settings.compute === undefined ? "float32" : "bfloat16",
    recipe,
    promptLossWeight: run.promptLossWeight,
    normalization: settings.normalization.normalization,
    reduceOver: settings.reduceOver,
    seed: settings.seed,
    steps: run.batches.steps,
    rows: run.rows.length,
    heldOutRows: run.heldOut?.length ?? 0,
    parameters:
      elements(model.parameters) + elements(model.blocks) + elements(model.adapter?.parameters ?? new Map()),
    trainable: elements(model.trainable),
    dataHash: run.dataHash,
    modelHash: run.modelHash,
    ...(run.referenceHash !== undefined && { referenceHash: run.referenceHash }),
    fingerprint: run.fingerprint,
    notes: run.notes,
    startedAt: new Date().toISOString(),
  };
}

function elements(tensors: ReadonlyMap<string, { readonly numel: number }>): number {
  return [...tensors.values()].reduce((sum, { numel }) => sum + numel, 0);
}
