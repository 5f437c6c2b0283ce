// Jobs as folders: job.json, events.jsonl, recipe.yaml and run/, the folder of the training run. They are the database.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, readJson, replaceFile, writeJson } from "../../files/atomic.ts";
import type { Recipe } from "../../recipe/index.ts";
import { checkpointSteps } from "../../training/checkpoints/index.ts";
import { ServeError } from "../errors.ts";
import { isId } from "../ids.ts";
import type { JobRecord } from "./job.ts";
import { JobEvents } from "./job-events.ts";

export class JobStore {
  readonly #folder: string;
  readonly #events = new Map<string, JobEvents>();

  /** @param folder made where it is missing */
  constructor(folder: string) {
    this.#folder = folder;
    makeFolder(folder);
  }

  /** The newest first. */
  list(): JobRecord[] {
    return readdirSync(this.#folder)
      .flatMap((id) => (isId(id, "ftjob") ? (this.#read(id) ?? []) : []))
      .sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
  }

  /** @throws {ServeError} 404 */
  get(id: string): JobRecord {
    const job = isId(id, "ftjob") ? this.#read(id) : undefined;
    if (job === undefined)
      throw new ServeError(404, `there is no fine-tuning job ${id} here`, {
        param: "fine_tuning_job_id",
        code: "fine_tune_not_found",
      });
    return job;
  }

  /** Keeps a new job. */
  add(job: JobRecord, recipe: Recipe): void {
    // JSON is YAML.
    replaceFile(this.recipe(job.id), `${JSON.stringify(recipe, null, 2)}\n`);
    writeJson(this.#record(job.id), job);
  }

  update(id: string, change: Partial<JobRecord>): JobRecord {
    const job = { ...this.get(id), ...change };
    writeJson(this.#record(id), job);
    return job;
  }

  events(id: string): JobEvents {
    let events = this.#events.get(id);
    if (events === undefined) {
      events = new JobEvents(join(this.#folder, id, "events.jsonl"));
      this.#events.set(id, events);
    }
    return events;
  }

  recipe(id: string): string {
    return join(this.#folder, id, "recipe.yaml");
  }

  /** The folder of the training run. */
  run(id: string): string {
    return join(this.#folder, id, "run");
  }

  /** Frees the disk of a run whose model is not wanted any more. */
  deleteRun(id: string): void {
    rmSync(this.run(id), { recursive: true, force: true });
  }

  /** Steps of the checkpoints that are on the disk. */
  checkpointSteps(id: string): number[] {
    return checkpointSteps(join(this.run(id), "checkpoints"));
  }

  #record(id: string): string {
    return join(this.#folder, id, "job.json");
  }

  #read(id: string): JobRecord | undefined {
    return readJson<JobRecord>(this.#record(id));
  }
}
