// Trains jobs in turn, each in a process of its own. A job that the service did not see through, because it ended or died,
// waits again when it starts anew, and goes on from its last checkpoint.

import { join } from "node:path";
import { PromptlossError } from "../../errors.ts";
import { FolderLock } from "../../files/lock.ts";
import { finishedEnd, readManifest } from "../../training/manifest.ts";
import { startTrainingProcess, type TrainingProcess } from "../../training/start-process.ts";
import { ServeError } from "../errors.ts";
import { now } from "../ids.ts";
import type { ServeLimits } from "../limits.ts";
import { fineTunedName, hasEnded, type JobRecord, type JobState } from "./job.ts";
import type { JobStore } from "./job-store.ts";

/** What a training that is stopped is stopped for. */
type StopReason = "paused" | "cancelled" | "timeout" | "closing";

interface Training {
  readonly process: TrainingProcess;
  stop: StopReason | undefined;
}

export interface JobRunnerOptions {
  readonly store: JobStore;
  readonly limits: Pick<ServeLimits, "jobs" | "training" | "jobSeconds">;
  /** Hears of a job whose model is there. */
  readonly onModel: (job: JobRecord) => void;
  /** Hears of errors that are not a job's. */
  readonly onError: (error: unknown) => void;
}

/** Milliseconds between two looks at a run that a process of an earlier service still trains. */
const POLL_MS = 2000;

export class JobRunner {
  readonly #options: JobRunnerOptions;
  readonly #training = new Map<string, Training>();
  readonly #done = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: JobRunnerOptions) {
    this.#options = options;
    const { store, onModel } = options;
    for (const job of store.list()) {
      if (job.status === "running") {
        store.update(job.id, { status: "queued" });
        store.events(job.id).add({ message: "The service was started anew; the job waits to go on" });
      }
      if (job.status === "succeeded" && job.deleted === undefined) onModel(job);
    }
    this.#startNext();
  }

  /** @throws {ServeError} 429 where too many jobs wait */
  checkRoom(): void {
    const { store, limits } = this.#options;
    const waiting = store.list().filter(({ status }) => status === "queued").length;
    const free = limits.training - this.#training.size;
    if (waiting - free >= limits.jobs)
      throw new ServeError(429, `${waiting} jobs wait already`, {
        code: "job_queue_full",
        hint: "cancel one, or try when one has ended",
      });
  }

  /** Takes up a job that was added to the store. */
  added(): void {
    this.#startNext();
  }

  /** @throws {ServeError} 400 for a job that has ended */
  cancel(id: string): JobRecord {
    const job = this.#open(id, "cancelled");
    if (this.#stop(id, "cancelled")) return job;
    return this.#finish(id, "cancelled", "The job was cancelled");
  }

  /** @throws {ServeError} 400 for a job that neither waits nor runs */
  pause(id: string): JobRecord {
    const job = this.#open(id, "paused");
    if (job.status === "paused") return job;
    if (this.#stop(id, "paused")) return job;
    return this.#move(id, "paused", "The job was paused");
  }

  /** @throws {ServeError} 400 for a job that is not paused, 429 where too many wait */
  resume(id: string): JobRecord {
    const job = this.#open(id, "resumed");
    if (job.status !== "paused") {
      if (this.#training.get(id)?.stop === "paused")
        throw new ServeError(400, "the job is about to pause; resume it then", { code: "job_pausing" });
      throw new ServeError(400, `the job is ${job.status}, and not paused`, { code: "invalid_job_state" });
    }
    this.checkRoom();
    const resumed = this.#move(id, "queued", "The job waits to go on");
    this.#startNext();
    return this.#options.store.get(resumed.id);
  }

  /** Stops trainings at their next step, with a checkpoint; a service that is started anew goes on with them. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const id of this.#training.keys()) this.#stop(id, "closing");
    await Promise.all(this.#done);
  }

  /** @throws {ServeError} 404; 400 for a job that has ended */
  #open(id: string, wanted: string): JobRecord {
    const job = this.#options.store.get(id);
    if (hasEnded(job))
      throw new ServeError(400, `the job is ${job.status}, and can't be ${wanted}`, {
        code: "invalid_job_state",
      });
    return job;
  }

  /** Whether there was a training to stop. */
  #stop(id: string, reason: StopReason): boolean {
    const training = this.#training.get(id);
    if (training === undefined) return false;
    // Of two reasons the one that ends the job counts.
    if (training.stop !== "cancelled") training.stop = reason;
    training.process.child.kill("SIGTERM");
    return true;
  }

  #startNext(): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    const { store, limits } = this.#options;
    const waiting = store.list().filter(({ status, id }) => status === "queued" && !this.#training.has(id));
    for (const job of waiting.reverse()) {
      if (this.#training.size >= limits.training) return;
      if (FolderLock.isHeld(store.run(job.id))) {
        this.#timer = setTimeout(() => this.#startNext(), POLL_MS).unref();
        continue;
      }
      const work = this.#train(job.id).catch(this.#options.onError);
      this.#done.add(work);
      void work.finally(() => {
        this.#done.delete(work);
        this.#startNext();
      });
    }
  }

  async #train(id: string): Promise<void> {
    const { store, limits } = this.#options;
    this.#move(id, "running", "The job has started");
    const events = store.events(id);
    let failure: string | undefined;
    const process = startTrainingProcess({ file: store.recipe(id) }, (event) => {
      if (event.type === "error")
        failure = event.hint === undefined ? event.message : `${event.message}. Hint: ${event.hint}`;
      try {
        events.addTraining(event);
      } catch (error) {
        this.#options.onError(error);
      }
    });
    const training: Training = { process, stop: undefined };
    this.#training.set(id, training);
    const timer = setTimeout(
      () => this.#stop(id, "timeout"),
      Math.min(limits.jobSeconds * 1000, 2 ** 31 - 1),
    );
    try {
      await process.done;
    } catch (error) {
      // A signal that comes before the process listens for it ends it at once.
      if (training.stop === undefined)
        failure ??= error instanceof PromptlossError ? error.message : String(error);
    } finally {
      clearTimeout(timer);
      this.#training.delete(id);
    }
    this.#settle(id, training.stop, failure);
  }

  /** What became of a job whose process has ended. */
  #settle(id: string, stop: StopReason | undefined, failure: string | undefined): void {
    const { store, limits, onModel } = this.#options;
    const end = finishedEnd(readManifest(join(store.run(id), "manifest.json")));
    if (end !== undefined && stop !== "cancelled") {
      const job = store.get(id);
      const done = this.#finish(
        id,
        "succeeded",
        `The job has succeeded; its model is ${fineTunedName(job)}`,
        {
          fine_tuned_model: fineTunedName(job),
          trained_tokens: end.tokens,
        },
      );
      onModel(done);
    } else if (stop === "cancelled") this.#finish(id, "cancelled", "The job was cancelled");
    else if (stop === "timeout")
      this.#fail(id, "timeout", `training took longer than ${limits.jobSeconds} seconds`);
    else if (failure !== undefined)
      this.#fail(id, "training_failed", failure.replaceAll(store.run(id), "run"));
    else if (stop === "paused") this.#move(id, "paused", "The job is paused");
    else if (stop !== "closing")
      this.#fail(id, "training_failed", "the training was interrupted from outside");
  }

  #fail(id: string, code: string, message: string): void {
    this.#finish(id, "failed", `The job has failed: ${message}`, { error: { code, message, param: null } });
  }

  #finish(id: string, status: JobState, message: string, change: Partial<JobRecord> = {}): JobRecord {
    return this.#move(id, status, message, { ...change, finished_at: now() });
  }

  /** The record first: who hears of it asks for the record. */
  #move(id: string, status: JobState, message: string, change: Partial<JobRecord> = {}): JobRecord {
    const { store } = this.#options;
    const job = store.update(id, { ...change, status });
    store.events(id).add({ message, level: status === "failed" ? "error" : "info", data: { status } });
    return job;
  }
}
