// The sinks of a run, as its recipe names them. What one of them throws ends that sink alone.
import { basename, dirname } from "node:path";
import type { Recipe } from "../../../recipe/index.ts";
import type { EvaluationEvent, StepEvent, WarningEvent } from "../event.ts";
import { MlflowSink, readMlflowRecord } from "./mlflow/mlflow-sink.ts";
import { mlflowAccess, mlflowSettings } from "./mlflow/settings.ts";
import type { Sink, SinkEnd, SinkRun, SinkWarning } from "./sink.ts";
import { TensorBoardSink } from "./tensorboard.ts";
import { WandbSink } from "./wandb/wandb-sink.ts";

/** Where sinks keep what is theirs in a run's folder. */
export interface SinkPlaces {
  readonly path: string;
  readonly tensorboard: string;
  readonly mlflow: string;
  readonly wandb: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * That everything is said that the sinks of a recipe need. Asks no server.
 * @throws {TrainingError} for what is missing or can't be used
 */
export function checkSinks({ logging }: Pick<Recipe, "logging">, environment: Environment): void {
  if (!logging.reportTo.includes("mlflow")) return;
  mlflowSettings(logging, "", environment);
  mlflowAccess(logging.mlflow?.trackingUri, environment);
}

export class Sinks {
  readonly #sinks: Sink[];
  readonly #tell: (warning: WarningEvent) => void;

  /** @throws {TrainingError} as {@link checkSinks} */
  constructor(
    { logging }: Pick<Recipe, "logging">,
    places: SinkPlaces,
    tell: (warning: WarningEvent) => void,
    environment: Environment = process.env,
  ) {
    this.#tell = tell;
    this.#sinks = logging.reportTo.map((name) => {
      if (name === "tensorboard") return new TensorBoardSink(places.tensorboard);
      if (name === "wandb") return new WandbSink(places.wandb, logging, nameOf(places.path), environment);
      return new MlflowSink({
        settings: mlflowSettings(logging, nameOf(places.path), environment),
        trackingUri: logging.mlflow?.trackingUri,
        file: places.mlflow,
        warn: (warning) => this.#warn(name, warning),
      });
    });
  }

  open(run: SinkRun): void {
    this.#each((sink) => sink.open(run));
  }

  add(event: StepEvent | EvaluationEvent): void {
    this.#each((sink) => sink.add(event));
  }

  /** Returns within bounds, as each sink does. */
  async close(end: SinkEnd | undefined, signal: AbortSignal | undefined): Promise<void> {
    const sinks = this.#sinks.splice(0);
    await Promise.all(
      sinks.map(async (sink) => {
        try {
          await sink.close(end, signal);
        } catch (error) {
          this.#failed(sink, error);
        }
      }),
    );
  }

  #each(act: (sink: Sink) => void): void {
    for (const sink of [...this.#sinks])
      try {
        act(sink);
      } catch (error) {
        this.#sinks.splice(this.#sinks.indexOf(sink), 1);
        this.#failed(sink, error);
        // What it holds open.
        void sink.close(undefined, AbortSignal.abort()).catch(() => {});
      }
  }

  #failed({ name }: Sink, error: unknown): void {
    this.#warn(name, {
      message: `${name}: ${(error as Error).message}; the run goes on without it`,
      hint: "metrics.jsonl has all numbers",
    });
  }

  #warn(sink: string, warning: SinkWarning): void {
    this.#tell({ type: "warning", sink, ...warning });
  }
}

/** Whether a server lacks some of a finished run. */
export function lacksSome(
  { logging }: Pick<Recipe, "logging">,
  { path, mlflow }: SinkPlaces,
  environment: Environment = process.env,
): boolean {
  if (!logging.reportTo.includes("mlflow")) return false;
  const record = readMlflowRecord(mlflow);
  const { trackingUri } = mlflowSettings(logging, nameOf(path), environment);
  return record?.isWhole !== true || record.trackingUri !== trackingUri;
}

/** A run's folder is often named by what it is, and a cell's is not. */
function nameOf(folder: string): string {
  const name = basename(folder);
  return name === "run" ? basename(dirname(folder)) : name;
}
