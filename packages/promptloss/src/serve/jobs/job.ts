// A fine-tuning job as its folder keeps it, and as OpenAI's clients see it. What training says of itself is in the run's
// own files; job.json has what was asked for and where the job stands.
import type { StepEvent } from "../../training/events/event.ts";

export const JOB_STATES = ["queued", "running", "paused", "succeeded", "failed", "cancelled"] as const;

export type JobState = (typeof JOB_STATES)[number];

/** States that a job does not leave. */
const ENDED: ReadonlySet<JobState> = new Set(["succeeded", "failed", "cancelled"]);

export function hasEnded({ status }: Pick<JobRecord, "status">): boolean {
  return ENDED.has(status);
}

export type Auto<T> = T | "auto";

/** As asked for; `auto` where it is left to the job. */
export interface Hyperparameters {
  readonly n_epochs: Auto<number>;
  readonly batch_size: Auto<number>;
  readonly learning_rate_multiplier: Auto<number>;
  readonly prompt_loss_weight: Auto<number>;
}

export interface JobError {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
}

/** job.json. */
export interface JobRecord {
  readonly id: string;
  readonly created_at: number;
  readonly status: JobState;
  /** The base model's id. */
  readonly model: string;
  readonly training_file: string;
  readonly validation_file: string | null;
  readonly hyperparameters: Hyperparameters;
  readonly suffix: string | null;
  readonly seed: number;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Recipe keys that the client gave. */
  readonly recipe: Readonly<Record<string, unknown>> | null;
  readonly finished_at: number | null;
  readonly error: JobError | null;
  /** The id that its model is served by. */
  readonly fine_tuned_model: string | null;
  readonly trained_tokens: number | null;
  /** Whether its model was deleted. */
  readonly deleted?: true;
}

/** What requests give and lists show. */
export function jobObject(job: JobRecord): object {
  const { deleted: _, suffix, recipe, ...shown } = job;
  return {
    object: "fine_tuning.job",
    ...shown,
    ...(suffix !== null && { user_provided_suffix: suffix }),
    ...(recipe !== null && { recipe }),
    method: { type: "supervised", supervised: { hyperparameters: job.hyperparameters } },
    organization_id: "promptloss",
    result_files: [],
    estimated_finish: null,
    integrations: [],
  };
}

/** The name of a job's model: `ft:BASE:promptloss:SUFFIX:DIGITS`. */
export function fineTunedName({ id, model, suffix }: Pick<JobRecord, "id" | "model" | "suffix">): string {
  return `ft:${model}:promptloss:${suffix ?? ""}:${id.slice(-8)}`;
}

/** A line of events.jsonl, in OpenAI's shape. */
export interface JobEvent {
  readonly id: string;
  readonly object: "fine_tuning.job.event";
  readonly created_at: number;
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly type: "message" | "metrics";
  /** Of `metrics`: OpenAI's names of the numbers. `event` is what training told, as docs/training.md lists it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** OpenAI's names of a step's numbers. */
export function stepMetrics(step: StepEvent, total: number | undefined): Record<string, unknown> {
  return {
    step: step.step,
    ...(total !== undefined && { total_steps: total }),
    train_loss: step.loss,
    ...(step.completion && { train_mean_token_accuracy: step.completion.accuracy }),
  };
}
