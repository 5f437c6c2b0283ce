// Files and jobs together, in one folder that one service has: files/ and jobs/.
import { join } from "node:path";
import type { Hono, MiddlewareHandler } from "hono";
import { PromptlossError } from "../../errors.ts";
import { FolderLock, holderText } from "../../files/lock.ts";
import { checkDisk } from "../disk.ts";
import { ServeError } from "../errors.ts";
import { FileStore } from "../files/file-store.ts";
import { fileRoutes } from "../files/routes.ts";
import type { ServeLimits } from "../limits.ts";
import type { FineTunedModel, ModelShelf } from "../models.ts";
import { hasEnded, type JobRecord } from "./job.ts";
import { JobRunner } from "./job-runner.ts";
import { JobStore } from "./job-store.ts";
import { jobRoutes } from "./routes.ts";

export interface JobServiceOptions {
  /** Made where it is missing. */
  readonly folder: string;
  readonly limits: ServeLimits;
  readonly models: ModelShelf;
  readonly onError: (error: unknown) => void;
}

export class JobService {
  readonly #folder: string;
  readonly #limits: ServeLimits;
  readonly #lock: FolderLock;
  readonly #files: FileStore;
  readonly #store: JobStore;
  readonly #runner: JobRunner;

  /** @throws {PromptlossError} where another service has the folder; {OutputError} where it can't be made */
  constructor({ folder, limits, models, onError }: JobServiceOptions) {
    this.#folder = folder;
    this.#limits = limits;
    const lock = FolderLock.take(folder);
    if (lock === undefined) {
      const holder = FolderLock.holder(folder);
      throw new PromptlossError(
        `${folder}: ${holder === undefined ? "another process" : holderText(holder)} serves jobs from it`,
        { hint: "end it, or name another folder" },
      );
    }
    this.#lock = lock;
    this.#files = new FileStore(join(folder, "files"), limits);
    this.#store = new JobStore(join(folder, "jobs"));
    this.#runner = new JobRunner({
      store: this.#store,
      limits,
      onError,
      onModel: (job) => models.add(this.#modelOf(job)),
    });
  }

  routes(app: Hono, { models, limited }: { models: ModelShelf; limited: MiddlewareHandler }): void {
    const room = (bytes: number): void => checkDisk(this.#folder, bytes, this.#limits.diskBytes);
    fileRoutes(app, {
      files: this.#files,
      limits: this.#limits,
      checkUnused: (id) => this.#checkUnused(id),
      checkDisk: room,
    });
    jobRoutes(app, {
      store: this.#store,
      runner: this.#runner,
      files: this.#files,
      models,
      limited,
      checkDisk: room,
    });
  }

  /** The folder of a job's training run, made when the training starts. @throws {ServeError} 404 */
  run(id: string): string {
    return this.#store.run(this.#store.get(id).id);
  }

  /** Deletes what a job trained; the job stays. */
  deleteModel(name: string): void {
    const job = this.#store.list().find(({ fine_tuned_model }) => fine_tuned_model === name);
    if (job === undefined) return;
    this.#store.update(job.id, { deleted: true });
    this.#store.deleteRun(job.id);
  }

  /** Stops trainings with a checkpoint, and gives the folder back. */
  async close(): Promise<void> {
    await this.#runner.close();
    this.#lock.release();
  }

  #modelOf({ id, model, fine_tuned_model, finished_at, created_at }: JobRecord): FineTunedModel {
    return {
      id: fine_tuned_model!,
      created: finished_at ?? created_at,
      base: model,
      run: this.#store.run(id),
    };
  }

  /** @throws {ServeError} 400 where a job that has not ended reads the file */
  #checkUnused(file: string): void {
    const job = this.#store
      .list()
      .find((each) => !hasEnded(each) && [each.training_file, each.validation_file].includes(file));
    if (job !== undefined)
      throw new ServeError(400, `${file}: ${job.id} reads it, which is ${job.status}`, {
        param: "id",
        code: "file_in_use",
        hint: "cancel the job first",
      });
  }
}
