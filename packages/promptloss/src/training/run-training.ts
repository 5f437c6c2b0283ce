// A whole run: prepare, train, write the model, probe it. What `promptloss train` does in its process, and what a
// program calls.
import { getNumThreads } from "@promptloss/torch";
import { mergeAdapter, saveAdapter, saveModel } from "../models/index.ts";
import type { Recipe } from "../recipe/index.ts";
import type { EventListener, StartEvent, TrainingEvent } from "./events/event.ts";
import { MetricsFile } from "./events/metrics-file.ts";
import { TensorBoardFile } from "./events/tensorboard.ts";
import { type Manifest, manifestOf, readManifest, writeManifest } from "./manifest.ts";
import { type PrepareOptions, prepareRun } from "./prepare.ts";
import { type Probes, probeRun, writeProbes } from "./probes/index.ts";
import { StepProfiler } from "./profile.ts";
import type { TrainingRun } from "./run.ts";
import { RunFolder } from "./run-folder.ts";
import { type TrainResult, train } from "./train.ts";

export interface RunTrainingOptions extends PrepareOptions {
  readonly onEvent?: EventListener;
  /** Ends the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Remove what another run left in the output folder. */
  readonly overwrite?: boolean;
  /** Leave a trace of some steps' operators in the output folder. */
  readonly profile?: boolean;
}

export interface FinishedRun {
  readonly manifest: Manifest;
  /** The model's folder; undefined where the run was interrupted. */
  readonly model: string | undefined;
  readonly probes: Probes | undefined;
}

/**
 * Trains as a recipe says, into its output folder; goes on where an earlier process stopped.
 * @throws PromptlossError of many kinds, each with what to do; the last checkpoint is intact then
 */
export const runTraining = async (recipe: Recipe, options: RunTrainingOptions = {}): Promise<FinishedRun> => {
  const run = await prepareRun(recipe, options);
  try {
    using folder = new RunFolder(run.output, run.fingerprint, options);
    const done = readManifest(folder.manifest);
    if (done?.end !== undefined && done.end.reason !== "interrupted") {
      options.onEvent?.({ type: "note", message: `${folder.path} holds this very run, finished` });
      options.onEvent?.(endEvent(done, folder.model));
      return { manifest: done, model: folder.model, probes: undefined };
    }
    return await trainInto(run, folder, done, options);
  } finally {
    run.free();
  }
};

const trainInto = async (
  run: TrainingRun,
  folder: RunFolder,
  before: Manifest | undefined,
  { onEvent = () => {}, signal, profile = false }: RunTrainingOptions,
): Promise<FinishedRun> => {
  const started: Manifest = { ...manifestOf(run), ...(before && { startedAt: before.startedAt }) };
  writeManifest(folder.manifest, started);
  const profiler = profile ? new StepProfiler(folder.profile, onEvent) : undefined;
  const listen: EventListener = (event) => {
    onEvent(event);
    profiler?.add(event);
  };
  const result = await follow(run, folder, started, listen, signal);
  profiler?.close();
  const end = { ...endOf(result), at: new Date().toISOString() };
  const manifest: Manifest = { ...started, end };
  if (result.reason === "interrupted") {
    writeManifest(folder.manifest, manifest);
    onEvent(endEvent(manifest, undefined));
    return { manifest, model: undefined, probes: undefined };
  }
  const probes = await probeRun(run, folder.metrics);
  writeProbes(folder.probes, probes);
  writeModel(run, folder.model);
  writeManifest(folder.manifest, manifest);
  onEvent(endEvent(manifest, folder.model));
  return { manifest, model: folder.model, probes };
};

/** Trains, with every event in the run's files before anyone hears of it. */
const follow = async (
  run: TrainingRun,
  folder: RunFolder,
  manifest: Manifest,
  onEvent: EventListener,
  signal: AbortSignal | undefined,
): Promise<TrainResult> => {
  let files: { metrics: MetricsFile; tensorboard: TensorBoardFile } | undefined;
  const result = await train(run, {
    checkpoints: folder.checkpoints,
    ...(signal && { signal }),
    onStart: (firstStep) => {
      files = {
        metrics: new MetricsFile(folder.metrics, firstStep),
        tensorboard: new TensorBoardFile(folder.tensorboard, firstStep),
      };
      onEvent(startEvent(run, manifest, firstStep));
    },
    onEvent: (event: TrainingEvent) => {
      files?.metrics.add(event);
      files?.tensorboard.add(event);
      onEvent(event);
    },
  });
  files?.tensorboard.close();
  return result;
};

const startEvent = (run: TrainingRun, manifest: Manifest, firstStep: number): StartEvent => ({
  type: "start",
  run: run.output,
  model: run.recipe.model!,
  parameters: manifest.parameters,
  trainable: manifest.trainable,
  rows: manifest.rows,
  heldOutRows: manifest.heldOutRows,
  tokens: run.rows.lengths.reduce((sum, length) => sum + length, 0),
  epochs: run.batches.epochs,
  steps: run.batches.steps,
  firstStep,
  promptLossWeight: run.promptLossWeight,
  normalization: manifest.normalization,
  device: manifest.device,
  precision: manifest.precision,
  threads: getNumThreads(),
  notes: run.notes,
});

const endOf = ({ reason, step, writtenStep, tokens, seconds, peakMemory }: TrainResult) => ({
  reason,
  step,
  ...(writtenStep !== undefined && { writtenStep }),
  tokens,
  seconds,
  peakMemory,
});

const endEvent = ({ end }: Manifest, model: string | undefined): TrainingEvent => {
  const { reason, step, seconds, peakMemory, writtenStep } = end!;
  return {
    type: "end",
    reason,
    step,
    seconds,
    peakMemory,
    ...(model !== undefined && { model }),
    ...(writtenStep !== undefined && { writtenStep }),
  };
};

/** The trained model as a Hugging Face folder, or the adapter as a PEFT folder. */
const writeModel = ({ model, recipe }: TrainingRun, folder: string): void => {
  const companions = recipe.model!;
  if (model.adapter !== undefined && !recipe.lora?.merge) {
    saveAdapter(model.adapter, folder, { baseModel: companions, companions });
    return;
  }
  if (model.adapter !== undefined) mergeAdapter(model);
  saveModel(model, folder, { companions });
};
