// What the thread that sends to MLflow and the process that trains tell each other.
import type { EvaluationEvent, StepEvent } from "../../event.ts";
import type { SinkEnd, SinkRun, SinkWarning } from "../sink.ts";
import type { MlflowSettings } from "./settings.ts";

/** What the thread begins with. Secrets are not in it: the thread reads the environment itself. */
export interface MlflowThreadData {
  readonly settings: MlflowSettings;
  /** As the recipe has it. */
  readonly trackingUri: string | undefined;
  readonly key: string;
  readonly runId: string | undefined;
}

export type ToThread =
  | { readonly type: "open"; readonly run: SinkRun }
  | { readonly type: "add"; readonly event: StepEvent | EvaluationEvent; readonly at: number }
  | { readonly type: "close"; readonly end: SinkEnd | undefined }
  | { readonly type: "hurry" };

export type FromThread =
  | { readonly type: "run"; readonly id: string }
  | { readonly type: "warning"; readonly warning: SinkWarning }
  | { readonly type: "closed"; readonly isWhole: boolean };
