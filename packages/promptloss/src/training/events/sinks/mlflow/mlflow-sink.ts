// MLflow as a sink: hands everything to a thread, and keeps in the run's folder which run of which server it is, so that
// a resumed run goes on in it.
import { randomUUID } from "node:crypto";
import { Worker } from "node:worker_threads";
import { compiledProgram } from "../../../../compiled-program.ts";
import { readJson, writeJson } from "../../../../files/atomic.ts";
import type { EvaluationEvent, StepEvent } from "../../event.ts";
import type { Sink, SinkEnd, SinkRun, SinkWarning } from "../sink.ts";
import type { FromThread, MlflowThreadData, ToThread } from "./messages.ts";
import { SENDER_TIMES } from "./sender.ts";
import type { MlflowSettings } from "./settings.ts";

const program = compiledProgram("./mlflow-thread.js", import.meta.url);

/** What mlflow.json in a run's folder has. */
export interface MlflowRecord {
  readonly trackingUri: string;
  /** A tag of the run. */
  readonly key: string;
  /** Left out until the server has said it. */
  readonly runId?: string;
  /** Whether the server has all of a run that has ended. */
  readonly isWhole: boolean;
}

export interface MlflowSinkOptions {
  readonly settings: MlflowSettings;
  /** As the recipe has it. */
  readonly trackingUri: string | undefined;
  /** The path of mlflow.json. */
  readonly file: string;
  readonly warn: (warning: SinkWarning) => void;
}

/** Undefined for a file that is missing or damaged: then the run is a new one for the server. */
export function readMlflowRecord(file: string): MlflowRecord | undefined {
  let record: Partial<MlflowRecord> | undefined;
  try {
    record = readJson<Partial<MlflowRecord>>(file);
  } catch {
    return undefined;
  }
  return typeof record?.key === "string" && typeof record.trackingUri === "string"
    ? (record as MlflowRecord)
    : undefined;
}

export class MlflowSink implements Sink {
  readonly name = "mlflow";
  readonly #options: MlflowSinkOptions;
  #record: MlflowRecord;
  #worker: Worker | undefined;
  #closed: Promise<void> = Promise.resolve();

  constructor(options: MlflowSinkOptions) {
    this.#options = options;
    const { trackingUri } = options.settings;
    const found = readMlflowRecord(options.file);
    this.#record =
      found?.trackingUri === trackingUri
        ? { ...found, isWhole: false }
        : { trackingUri, key: randomUUID(), isWhole: false };
  }

  open(run: SinkRun): void {
    const { settings, trackingUri } = this.#options;
    const { key, runId } = this.#record;
    this.#keep({});
    const workerData: MlflowThreadData = { settings, trackingUri, key, runId };
    // Not this process's options: among them may be one that changes how the thread's text is read.
    const worker = new Worker(program, { workerData, execArgv: [] });
    this.#worker = worker;
    this.#closed = new Promise((resolve) => {
      worker.on("message", (message: FromThread) => {
        if (message.type === "closed") {
          if (message.isWhole) this.#keep({ isWhole: true });
          resolve();
        } else if (message.type === "run") this.#keep({ runId: message.id });
        else this.#options.warn(message.warning);
      });
      worker.once("error", ({ message }) => this.#stop(`the thread that sends failed: ${message}`));
      worker.once("exit", () => resolve());
    });
    worker.unref();
    this.#tell({ type: "open", run });
  }

  add(event: StepEvent | EvaluationEvent): void {
    this.#tell({ type: "add", event, at: Date.now() });
  }

  async close(end: SinkEnd | undefined, signal: AbortSignal | undefined): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    worker.ref();
    const hurry = (): void => this.#tell({ type: "hurry" });
    if (signal?.aborted) hurry();
    signal?.addEventListener("abort", hurry, { once: true });
    this.#tell({ type: "close", end });
    const mostMs = SENDER_TIMES.close.answering + GRACE_MS;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<"late">((resolve) => {
      timer = setTimeout(() => resolve("late"), mostMs);
    });
    const first = await Promise.race([this.#closed, late]);
    clearTimeout(timer);
    signal?.removeEventListener("abort", hurry);
    if (first === "late") this.#stop("the thread that sends does not end");
    await worker.terminate();
    this.#worker = undefined;
  }

  #tell(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  #keep(change: Partial<MlflowRecord>): void {
    this.#record = { ...this.#record, ...change };
    try {
      writeJson(this.#options.file, this.#record);
    } catch (error) {
      this.#options.warn({
        message: `mlflow: ${(error as Error).message}; a resumed run begins another run on the server`,
      });
    }
  }

  #stop(why: string): void {
    this.#worker = undefined;
    this.#options.warn({ message: `mlflow: ${why}; nothing more is sent` });
  }
}

/** For the thread's last words, beside the time that it gives itself. */
const GRACE_MS = 2000;
