// What one request, and all together, may ask of the server.
import { PromptlossError } from "../errors.ts";

export interface ServeLimits {
  /** Of a request's body, in bytes. */
  readonly bodyBytes: number;
  /** New tokens of a completion. */
  readonly tokens: number;
  /** Completions of one request: prompts times `n`. They run as one batch. */
  readonly completions: number;
  /** Requests that wait while another runs. */
  readonly waiting: number;
  /** From a request's arrival to its last token, in seconds. */
  readonly seconds: number;
}

export const DEFAULT_LIMITS: ServeLimits = {
  bodyBytes: 1024 * 1024,
  tokens: 4096,
  completions: 32,
  waiting: 64,
  seconds: 600,
};

/** @throws {PromptlossError} for limits that are no numbers, or leave nothing to be done */
export function serveLimits(given: Partial<ServeLimits> = {}): ServeLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [key, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, key))
      throw new PromptlossError(`limits.${key}: there is no such limit`, {
        hint: `the limits are ${Object.keys(DEFAULT_LIMITS).join(", ")}`,
      });
    const least = key === "waiting" ? 0 : 1;
    const fits =
      key === "seconds" ? value > 0 && value <= MOST_SECONDS : Number.isSafeInteger(value) && value >= least;
    if (!fits) throw new PromptlossError(`limits.${key}: ${value} is out of range`);
  }
  return limits;
}

/** A timer's milliseconds are a 32-bit number. */
const MOST_SECONDS = Math.floor((2 ** 31 - 1) / 1000);
