// Training: a recipe into a trained model, step by step or at one call.
export { CheckpointError, DivergenceError, TrainingError } from "./errors.ts";
export type {
  CheckpointEvent,
  DownloadEvent,
  EndEvent,
  ErrorEvent,
  EvaluationEvent,
  EventListener,
  NoteEvent,
  PartMetrics,
  StartEvent,
  StepEvent,
  TrainingEvent,
} from "./events/event.ts";
export { type MetricsLine, readMetrics } from "./events/metrics-file.ts";
export { type Manifest, readManifest } from "./manifest.ts";
export { type PrepareOptions, prepareRun } from "./prepare.ts";
export type { Probes } from "./probes/index.ts";
export type { RunSettings, TrainingRun } from "./run.ts";
export { type FinishedRun, type RunTrainingOptions, runTraining } from "./run-training.ts";
export { startTrainingProcess, type TrainingProcess } from "./start-process.ts";
export { type TrainOptions, type TrainResult, train } from "./train.ts";
