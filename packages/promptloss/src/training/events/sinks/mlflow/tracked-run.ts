// A run on an MLflow server: made anew, or found again by the key that its folder keeps.
import { hostname } from "node:os";
import type { SinkRun } from "../sink.ts";
import {
  LIMITS,
  type MlflowClient,
  type MlflowEntry,
  MlflowError,
  type MlflowMetric,
  type MlflowRun,
} from "./client.ts";
import { entriesOf, paramsOf } from "./entries.ts";
import type { MlflowSettings } from "./settings.ts";

/** The tag by which a run is found whose making was not answered. */
export const KEY_TAG = "promptloss.key";

/** The last step that a server has, of either kind; -1 for none. */
export interface ReachedSteps {
  readonly step: number;
  readonly evaluation: number;
}

export interface TrackedRun {
  readonly id: string;
  readonly reached: ReachedSteps;
}

/** Sends one request, again where that may help. */
export type Trying = <T>(request: (timeout: number) => Promise<T>) => Promise<T>;

export class MlflowTracking {
  readonly #client: MlflowClient;
  readonly #settings: MlflowSettings;
  readonly #trying: Trying;

  constructor(client: MlflowClient, settings: MlflowSettings, trying: Trying) {
    this.#client = client;
    this.#settings = settings;
    this.#trying = trying;
  }

  /**
   * The run of a key, with its params and tags, running.
   * @param key that no other run has
   * @param id of the run, where an earlier process knew it
   * @throws {MlflowError} where the server refuses
   */
  async open(run: SinkRun, key: string, id: string | undefined): Promise<TrackedRun> {
    const found = (id === undefined ? undefined : await this.#withId(id)) ?? (await this.#found(key));
    const tracked = found ?? (await this.#create(run, key));
    const { run_id } = tracked.info;
    if (found !== undefined) await this.#update({ run_id, status: "RUNNING" });
    await this.#describe(run, run_id, tracked.data?.params ?? []);
    return { id: run_id, reached: reachedOf(tracked.data?.metrics ?? []) };
  }

  async log(runId: string, metrics: readonly MlflowMetric[]): Promise<void> {
    await this.#post("runs/log-batch", { run_id: runId, metrics });
  }

  async end(
    runId: string,
    status: string,
    at: number,
    tags: Readonly<Record<string, string>>,
  ): Promise<void> {
    await this.#post("runs/log-batch", { run_id: runId, tags: entriesOf(tags) });
    await this.#update({ run_id: runId, status, end_time: at });
  }

  async #withId(id: string): Promise<MlflowRun | undefined> {
    const run = await this.#unlessMissing((timeout) =>
      this.#client.get<{ run: MlflowRun }>("runs/get", { run_id: id }, timeout),
    );
    return run === undefined || run.run.info.lifecycle_stage === "deleted" ? undefined : run.run;
  }

  async #found(key: string): Promise<MlflowRun | undefined> {
    const experiment = await this.#experiment();
    const body = {
      experiment_ids: [experiment],
      filter: `tags.\`${KEY_TAG}\` = '${key}'`,
      run_view_type: "ACTIVE_ONLY",
      max_results: 1,
    };
    const { runs = [] } = await this.#post<{ runs?: MlflowRun[] }>("runs/search", body);
    return runs[0];
  }

  /** Looks for the run before it asks again: the server may have made it and not been heard. */
  async #create(run: SinkRun, key: string): Promise<MlflowRun> {
    const experiment = await this.#experiment();
    const { runName, tags } = this.#settings;
    const own = { [KEY_TAG]: key, "mlflow.source.name": "promptloss train", "mlflow.source.type": "LOCAL" };
    const body = {
      experiment_id: experiment,
      run_name: runName,
      start_time: Math.round(run.startedAt),
      tags: entriesOf({ ...own, "mlflow.runName": runName, "promptloss.host": hostname(), ...tags }),
    };
    let asked = false;
    return this.#trying(async (timeout) => {
      if (asked) {
        const made = await this.#found(key);
        if (made !== undefined) return made;
      }
      asked = true;
      return (await this.#client.post<{ run: MlflowRun }>("runs/create", body, timeout)).run;
    });
  }

  /** Params can't be changed: what a longer run has otherwise becomes a tag. */
  async #describe(run: SinkRun, runId: string, known: readonly MlflowEntry[]): Promise<void> {
    const there = new Map(known.map(({ key, value }) => [key, value]));
    const params = paramsOf(run);
    const fresh = params.filter(({ key }) => !there.has(key));
    await this.#logInParts(runId, "params", fresh);
    const changed = params.filter(({ key, value }) => there.has(key) && there.get(key) !== value);
    const tags = entriesOf({
      "promptloss.output": run.start.run,
      ...Object.fromEntries(changed.map(({ key, value }) => [`now.${key}`, value])),
    });
    await this.#logInParts(runId, "tags", tags);
  }

  /** As many in a request as it may have. */
  async #logInParts(runId: string, kind: "params" | "tags", entries: readonly MlflowEntry[]): Promise<void> {
    for (let from = 0; from < entries.length; from += LIMITS.entries)
      await this.#post("runs/log-batch", {
        run_id: runId,
        [kind]: entries.slice(from, from + LIMITS.entries),
      });
  }

  #experimentId: string | undefined;

  async #experiment(): Promise<string> {
    this.#experimentId ??= await this.#findExperiment();
    return this.#experimentId;
  }

  async #findExperiment(): Promise<string> {
    const { experiment } = this.#settings;
    if ("id" in experiment) return experiment.id;
    const { name } = experiment;
    const byName = async (): Promise<string | undefined> => {
      const answer = await this.#unlessMissing((timeout) =>
        this.#client.get<{ experiment: { experiment_id: string } }>(
          "experiments/get-by-name",
          { experiment_name: name },
          timeout,
        ),
      );
      return answer?.experiment.experiment_id;
    };
    const found = await byName();
    if (found !== undefined) return found;
    try {
      return (await this.#post<{ experiment_id: string }>("experiments/create", { name })).experiment_id;
    } catch (error) {
      // Another cell of a study made it meanwhile, or this one did and was not answered.
      const made =
        error instanceof MlflowError && error.code === "RESOURCE_ALREADY_EXISTS" && (await byName());
      if (made) return made;
      throw error;
    }
  }

  #update(body: object): Promise<unknown> {
    return this.#post("runs/update", body);
  }

  #post<T>(path: string, body: object): Promise<T> {
    return this.#trying((timeout) => this.#client.post<T>(path, body, timeout));
  }

  async #unlessMissing<T>(request: (timeout: number) => Promise<T>): Promise<T | undefined> {
    try {
      return await this.#trying(request);
    } catch (error) {
      if (error instanceof MlflowError && error.status === 404) return undefined;
      throw error;
    }
  }
}

/** Of a step the loss always comes, and it comes with the rest. */
function reachedOf(metrics: readonly MlflowMetric[]): ReachedSteps {
  const last = (name: string): number => Number(metrics.find(({ key }) => key === name)?.step ?? -1);
  return { step: last("train/loss"), evaluation: last("held-out/loss") };
}
