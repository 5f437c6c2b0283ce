// A server that answers as MLflow's tracking server does, written from its documentation: the endpoints that a run uses, their
// limits, their errors. What it holds is there to be looked at, and it can be told to be ill.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface StoredMetric {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
  readonly step: number;
}

export interface StoredRun {
  readonly id: string;
  readonly experiment: string;
  readonly name: string;
  readonly start: number;
  status: string;
  end: number | undefined;
  deleted: boolean;
  readonly metrics: StoredMetric[];
  /** Metrics as text: one that comes again is kept once. */
  readonly known: Set<string>;
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
}

/** What becomes of a request: undefined lets it be answered. "deaf" does what is asked and answers with an error. */
export type Illness = (path: string) => "hangs" | "breaks" | "deaf" | number | undefined;

class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const NAME = /^[/\w.\- ]*$/;

function checkName(key: unknown): string {
  const isPath = typeof key === "string" && !/^\/|\/\/|\/$|(^|\/)\.\.?(\/|$)/.test(key);
  if (typeof key !== "string" || key === "" || !NAME.test(key) || key.length > 250 || !isPath)
    throw new Refusal(400, "INVALID_PARAMETER_VALUE", `Invalid name: '${key}'`);
  return key;
}

function atMost(most: number, list: readonly unknown[], what: string): void {
  if (list.length > most)
    throw new Refusal(400, "INVALID_PARAMETER_VALUE", `at most ${most} ${what}, got ${list.length}`);
}

type Body = Readonly<Record<string, unknown>>;

export class MlflowServer {
  readonly experiments = new Map<string, string>();
  readonly runs = new Map<string, StoredRun>();
  /** Paths that were asked for, ill or not, with the header that says who asks. */
  readonly asked: { readonly path: string; readonly authorization: string | undefined }[] = [];
  ill: Illness = () => undefined;
  #port = 0;
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  /** At the port that it had before, where it was started before. */
  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async stop(): Promise<void> {
    const stopped = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await stopped;
  }

  get uri(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get only(): StoredRun {
    const [run, ...more] = this.runs.values();
    if (run === undefined || more.length > 0) throw new Error(`${this.runs.size} runs`);
    return run;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.uri);
    const path = url.pathname.replace("/api/2.0/mlflow/", "");
    this.asked.push({ path, authorization: request.headers.authorization });
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const ill = this.ill(path);
    if (ill === "hangs") return;
    if (ill === "breaks") {
      request.socket.destroy();
      return;
    }
    const say = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    try {
      if (typeof ill === "number")
        throw new Refusal(
          ill,
          ill === 403 ? "PERMISSION_DENIED" : "INTERNAL_ERROR",
          `ill, ${request.headers.authorization}`,
        );
      const text = Buffer.concat(parts).toString("utf8");
      if (text.length > 1e6) throw new Refusal(400, "INVALID_PARAMETER_VALUE", "a request of at most 1 MB");
      const body = request.method === "GET" ? Object.fromEntries(url.searchParams) : JSON.parse(text);
      const answer = this.#do(`${request.method} ${path}`, body as Body);
      if (ill === "deaf") request.socket.destroy();
      else say(200, answer);
    } catch (error) {
      const { status = 500, code = "INTERNAL_ERROR", message } = error as Refusal;
      say(status, { error_code: code, message });
    }
  }

  #do(what: string, body: Body): object {
    switch (what) {
      case "GET experiments/get-by-name": {
        const id = this.experiments.get(body.experiment_name as string);
        if (id === undefined) throw new Refusal(404, "RESOURCE_DOES_NOT_EXIST", "no such experiment");
        return { experiment: { experiment_id: id, name: body.experiment_name } };
      }
      case "POST experiments/create": {
        const name = body.name as string;
        if (this.experiments.has(name)) throw new Refusal(400, "RESOURCE_ALREADY_EXISTS", "there is one");
        const id = String(this.experiments.size + 1);
        this.experiments.set(name, id);
        return { experiment_id: id };
      }
      case "POST runs/create":
        return { run: this.#shown(this.#create(body)) };
      case "GET runs/get":
        return { run: this.#shown(this.#run(body)) };
      case "POST runs/search": {
        const [, tag, value] = /^tags\.`([\w.]+)` = '([\w-]+)'$/.exec(body.filter as string)!;
        const found = [...this.runs.values()].filter(
          ({ tags, deleted, experiment }) =>
            tags.get(tag!) === value && !deleted && (body.experiment_ids as string[]).includes(experiment),
        );
        // An empty list is left out of the answer, as protocol buffers have it.
        return found.length === 0 ? {} : { runs: found.map((run) => this.#shown(run)) };
      }
      case "POST runs/update": {
        const run = this.#active(body);
        if (!["RUNNING", "FINISHED", "FAILED", "KILLED"].includes(body.status as string))
          throw new Refusal(400, "INVALID_PARAMETER_VALUE", "status");
        run.status = body.status as string;
        run.end = body.end_time as number | undefined;
        return { run_info: this.#shown(run).info };
      }
      case "POST runs/log-batch":
        this.#log(this.#active(body), body);
        return {};
      default:
        throw new Refusal(404, "ENDPOINT_NOT_FOUND", what);
    }
  }

  #create(body: Body): StoredRun {
    const { experiment_id: experiment, run_name: name, start_time: start, tags = [] } = body;
    if (![...this.experiments.values()].includes(experiment as string))
      throw new Refusal(404, "RESOURCE_DOES_NOT_EXIST", "no such experiment");
    if (!Number.isInteger(start)) throw new Refusal(400, "INVALID_PARAMETER_VALUE", "start_time");
    const run: StoredRun = {
      id: `${this.runs.size + 1}`.padStart(32, "0"),
      ...{ experiment: experiment as string, name: name as string, start: start as number },
      ...{ status: "RUNNING", end: undefined, deleted: false },
      ...{ metrics: [], known: new Set(), params: new Map(), tags: new Map() },
    };
    this.#tag(run, tags as Body[]);
    this.runs.set(run.id, run);
    return run;
  }

  #run({ run_id: id }: Body): StoredRun {
    const run = this.runs.get(id as string);
    if (run === undefined) throw new Refusal(404, "RESOURCE_DOES_NOT_EXIST", `Run '${id}' not found`);
    return run;
  }

  #active(body: Body): StoredRun {
    const run = this.#run(body);
    if (run.deleted) throw new Refusal(400, "INVALID_PARAMETER_VALUE", "the run is deleted");
    return run;
  }

  #log(run: StoredRun, { metrics = [], params = [], tags = [] }: Body): void {
    const lists = { metrics, params, tags } as Record<string, Body[]>;
    atMost(1000, lists.metrics!, "metrics");
    atMost(100, lists.params!, "params");
    atMost(100, lists.tags!, "tags");
    for (const { key, value } of lists.params!) {
      if (typeof value !== "string" || value.length > 6000)
        throw new Refusal(400, "INVALID_PARAMETER_VALUE", `param ${key}`);
      if (run.params.has(checkName(key)) && run.params.get(key as string) !== value)
        throw new Refusal(400, "INVALID_PARAMETER_VALUE", `Changing param values is not allowed: ${key}`);
    }
    for (const metric of lists.metrics!) {
      const { key, value, timestamp, step } = metric;
      checkName(key);
      if (typeof value !== "number" || !Number.isInteger(timestamp) || !Number.isInteger(step))
        throw new Refusal(400, "INVALID_PARAMETER_VALUE", `metric ${JSON.stringify(metric)}`);
      const stored = { key, value, timestamp, step } as StoredMetric;
      const text = JSON.stringify(stored);
      if (!run.known.has(text)) run.metrics.push(stored);
      run.known.add(text);
    }
    for (const { key, value } of lists.params!) run.params.set(key as string, value as string);
    this.#tag(run, lists.tags!);
  }

  #tag(run: StoredRun, tags: readonly Body[]): void {
    for (const { key, value } of tags) {
      if (typeof value !== "string" || value.length > 5000)
        throw new Refusal(400, "INVALID_PARAMETER_VALUE", `tag ${key}`);
      run.tags.set(checkName(key), value);
    }
  }

  #shown({ id, experiment, name, start, status, end, deleted, metrics, params, tags }: StoredRun) {
    const latest = new Map<string, StoredMetric>();
    for (const metric of metrics)
      if (metric.step >= (latest.get(metric.key)?.step ?? -1)) latest.set(metric.key, metric);
    const list = (map: Map<string, string>) => [...map].map(([key, value]) => ({ key, value }));
    return {
      info: {
        ...{ run_id: id, run_uuid: id, experiment_id: experiment, run_name: name, status, start_time: start },
        ...{ end_time: end, lifecycle_stage: deleted ? "deleted" : "active" },
      },
      data: { metrics: [...latest.values()], params: list(params), tags: list(tags) },
    };
  }
}
