// Training: a recipe into a trained model, step by step or at one call.

export { peakMemory } from "../machine/peak-memory.ts";
export { type AccumulateSettings, accumulate, accumulateSettings, type BatchLoss } from "./accumulate.ts";
export { AdamW, type AdamWSettings } from "./adamw.ts";
export { CheckpointError, DivergenceError, NonFiniteLossError, TrainingError } from "./errors.ts";
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
  WarningEvent,
} from "./events/event.ts";
export { EVENT_FIELDS } from "./events/fields.ts";
export { type MetricsLine, readMetrics } from "./events/metrics-file.ts";
export { clearGradients, clippingFactor, gradientNorm } from "./gradients.ts";
export { type HeldOutLoss, type HeldOutSettings, heldOutLoss } from "./held-out.ts";
export { finishedEnd, type Manifest, type RunEnd, type RunFailure, readManifest } from "./manifest.ts";
export { type Division, type MemoryEstimate, memoryByMode, memoryEstimate } from "./memory-estimate.ts";
export { type PrepareOptions, prepareRun } from "./prepare.ts";
export type { Probes } from "./probes/index.ts";
export { launcherPlacement, Ranks } from "./ranks/index.ts";
export type { RunSettings, TrainingRun } from "./run.ts";
export { type FinishedRun, followTraining, type RunTrainingOptions, runTraining } from "./run-training.ts";
export { learningRateAt, type ScheduleSettings } from "./schedule.ts";
export { type ShardBytes, type ShardingMode, Shards } from "./sharding/index.ts";
export { startTrainingProcess, type TrainingProcess } from "./start-process.ts";
export { type TrainOptions, train } from "./train.ts";
export { Trainer, type TrainerOptions, type TrainResult } from "./trainer.ts";
