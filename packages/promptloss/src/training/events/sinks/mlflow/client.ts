// MLflow's REST API, as far as a run needs it: https://mlflow.org/docs/latest/rest-api.html.
import type { MlflowAccess } from "./settings.ts";

/** A request that failed. */
export class MlflowError extends Error {
  /** Whether the same request may succeed later. */
  readonly passing: boolean;
  /** MLflow's own, such as RESOURCE_DOES_NOT_EXIST, or that of the connection. */
  readonly code: string | undefined;
  readonly status: number | undefined;

  constructor(
    message: string,
    { passing, code, status }: { passing: boolean; code?: string; status?: number },
  ) {
    super(message);
    this.passing = passing;
    this.code = code;
    this.status = status;
  }
}

export interface MlflowMetric {
  readonly key: string;
  readonly value: number;
  /** ms since 1970. */
  readonly timestamp: number;
  readonly step: number;
}

export interface MlflowEntry {
  readonly key: string;
  readonly value: string;
}

export interface MlflowRun {
  readonly info: {
    readonly run_id: string;
    readonly experiment_id?: string;
    readonly lifecycle_stage?: string;
  };
  /** Of metrics the latest of each key. */
  readonly data?: { readonly metrics?: readonly MlflowMetric[]; readonly params?: readonly MlflowEntry[] };
}

/** What one request may have, by MLflow's limits. */
export const LIMITS = { metrics: 1000, entries: 100, key: 250, value: 500 } as const;

/** More of an answer is not read. */
const ANSWER_BYTES = 4 * 1024 * 1024;

/** Of a server's own words in a message. */
const SHOWN_LENGTH = 200;

export class MlflowClient {
  readonly #uri: string;
  readonly #access: MlflowAccess;

  constructor(trackingUri: string, access: MlflowAccess) {
    this.#uri = trackingUri;
    this.#access = access;
  }

  /** @throws {MlflowError} */
  async get<T>(path: string, query: Readonly<Record<string, string>>, timeout: number): Promise<T> {
    return (await this.#ask("GET", `${path}?${new URLSearchParams(query)}`, undefined, timeout)) as T;
  }

  /** @throws {MlflowError} */
  async post<T>(path: string, body: object, timeout: number): Promise<T> {
    return (await this.#ask("POST", path, body, timeout)) as T;
  }

  async #ask(method: string, path: string, body: object | undefined, timeout: number): Promise<unknown> {
    const { authorization } = this.#access;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#uri}/api/2.0/mlflow/${path}`, {
        method,
        headers: {
          "content-type": "application/json",
          ...(authorization !== undefined && { authorization }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(Math.max(1, Math.round(timeout))),
      });
      text = await textOf(response);
    } catch (error) {
      throw connectionError(error, timeout);
    }
    const { status } = response;
    const answer = parsed(text);
    if (response.ok) {
      if (answer === undefined) throw new MlflowError("its answer is not JSON", { passing: false, status });
      return answer;
    }
    const { error_code: code, message } = (answer ?? {}) as { error_code?: string; message?: string };
    const words = typeof message === "string" && message !== "" ? `: ${this.#shown(message)}` : "";
    // 429: too many requests; 408: the server's own time-out.
    const passing = status >= 500 || status === 429 || status === 408;
    throw new MlflowError(`it answers ${status}${code === undefined ? "" : ` ${code}`}${words}`, {
      ...{ passing, status },
      ...(code !== undefined && { code }),
    });
  }

  /** The first line of a server's words, without what is secret. */
  #shown(text: string): string {
    const [line = ""] = this.#access.secrets
      .reduce((all, secret) => all.replaceAll(secret, "***"), text)
      .split("\n");
    return line.length > SHOWN_LENGTH ? `${line.slice(0, SHOWN_LENGTH)}…` : line;
  }
}

async function textOf(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > ANSWER_BYTES) throw new MlflowError("its answer is too long", { passing: false });
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parsed(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

function connectionError(error: unknown, timeout: number): MlflowError {
  if (error instanceof MlflowError) return error;
  const { name, message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  if (name === "TimeoutError")
    return new MlflowError(`it does not answer within ${Math.round(timeout / 100) / 10} s`, {
      passing: true,
    });
  // fetch hides what failed behind its own words.
  const code = cause?.code;
  const why = [code, cause?.message].filter((text) => text !== undefined && text !== "").join(", ");
  return new MlflowError(`it is not reached (${why || message})`, { passing: true, ...(code && { code }) });
}
