// What one request, and all together, may ask of the server.
import { PromptlossError } from "../errors.ts";

export interface ServeLimits {
  /** Of a request's body, in bytes. */
  readonly bodyBytes: number;
  /** New tokens of a completion. */
  readonly tokens: number;
  /** Completions of one request: prompts times `n`. */
  readonly completions: number;
  /** Requests that run at once. */
  readonly running: number;
  /** Completions of one model that are computed together, of all its requests. */
  readonly batch: number;
  /** Requests that wait for others. */
  readonly waiting: number;
  /** From a request's arrival to its last token, in seconds. */
  readonly seconds: number;
  /** Bytes of keys and values of completed prompts that each model keeps for those that begin alike. */
  readonly prefixBytes: number;
  /** Of an uploaded file, in bytes. */
  readonly fileBytes: number;
  /** Uploaded files that are kept. */
  readonly files: number;
  /** Of files and jobs together, in bytes. */
  readonly diskBytes: number;
  /** Jobs that wait for their turn. */
  readonly jobs: number;
  /** Jobs that train at once. */
  readonly training: number;
  /** Of a job's training, in seconds. */
  readonly jobSeconds: number;
}

export const DEFAULT_LIMITS: ServeLimits = {
  bodyBytes: 1024 * 1024,
  tokens: 4096,
  completions: 32,
  running: 32,
  batch: 32,
  waiting: 64,
  seconds: 600,
  prefixBytes: 256 * 1024 * 1024,
  fileBytes: 64 * 1024 * 1024,
  files: 100,
  diskBytes: 16 * 1024 ** 3,
  jobs: 16,
  training: 1,
  jobSeconds: 24 * 3600,
};

/** Limits that may be 0. */
const NONE_WILL_DO: ReadonlySet<string> = new Set(["waiting", "jobs", "prefixBytes"]);

/** Limits that may be fractions of a second. */
const TIMES: ReadonlySet<string> = new Set(["seconds", "jobSeconds"]);

/** @throws {PromptlossError} for limits that are no numbers, or leave nothing to be done */
export function serveLimits(given: Partial<ServeLimits> = {}): ServeLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [key, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, key))
      throw new PromptlossError(`limits.${key}: there is no such limit`, {
        hint: `the limits are ${Object.keys(DEFAULT_LIMITS).join(", ")}`,
      });
    const least = NONE_WILL_DO.has(key) ? 0 : 1;
    const fits = TIMES.has(key)
      ? value > 0 && value <= MOST_SECONDS
      : Number.isSafeInteger(value) && value >= least;
    if (!fits) throw new PromptlossError(`limits.${key}: ${value} is out of range`);
  }
  return limits;
}

/** A timer's milliseconds are a 32-bit number. */
const MOST_SECONDS = Math.floor((2 ** 31 - 1) / 1000);
