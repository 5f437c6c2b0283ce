// What a run has for an MLflow server, sent in order: in batches, again where a request fails, and never longer than it is
// given. Knows nothing of threads.
import { counted } from "../../../../counted.ts";
import type { EvaluationEvent, StepEvent } from "../../event.ts";
import { timed } from "../past.ts";
import type { SinkEnd, SinkRun, SinkWarning } from "../sink.ts";
import { LIMITS, MlflowClient, MlflowError, type MlflowMetric } from "./client.ts";
import { metricsOf } from "./entries.ts";
import type { MlflowAccess, MlflowSettings } from "./settings.ts";
import { MlflowTracking, type TrackedRun } from "./tracked-run.ts";

export interface SenderTimes {
  /** How long numbers are gathered for a batch, in ms. */
  readonly gather: number;
  /** Between the first two tries, doubled from then on. */
  readonly firstPause: number;
  readonly longestPause: number;
  /** At the end: how long a server that answers is given, one that did not lately, and one while somebody waits. */
  readonly close: { readonly answering: number; readonly silent: number; readonly hurried: number };
}

export const SENDER_TIMES: SenderTimes = {
  gather: 1000,
  firstPause: 1000,
  longestPause: 60_000,
  close: { answering: 30_000, silent: 10_000, hurried: 3000 },
};

/** Steps and evaluations that wait at most. Some hundred bytes each. */
export const MOST_WAITING = 50_000;

export interface SenderOptions {
  readonly settings: MlflowSettings;
  readonly access: MlflowAccess;
  readonly key: string;
  readonly runId: string | undefined;
  readonly warn: (warning: SinkWarning) => void;
  /** Called once it is known. */
  readonly onRun: (runId: string) => void;
  readonly times?: SenderTimes;
}

interface Waiting {
  readonly event: StepEvent | EvaluationEvent;
  readonly at: number;
}

/** The time is up, or the server will have nothing of this run. */
class GivenUp extends Error {}

const STATUS = {
  completed: "FINISHED",
  "stopped-early": "FINISHED",
  interrupted: "KILLED",
  failed: "FAILED",
} as const;

export class MlflowSender {
  readonly #options: SenderOptions;
  readonly #times: SenderTimes;
  readonly #tracking: MlflowTracking;
  readonly #waiting: Waiting[] = [];
  #lost = 0;
  #end: SinkEnd | undefined;
  /** When nothing is tried any more, by `performance.now()`. */
  #deadline = Number.POSITIVE_INFINITY;
  #closing = false;
  /** Why the last request failed; undefined where it did not. */
  #trouble: string | undefined;
  #warned = false;
  #finished = false;
  #wake: () => void = () => {};
  #done: Promise<void> = Promise.resolve();

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#times = options.times ?? SENDER_TIMES;
    const { settings, access } = options;
    this.#tracking = new MlflowTracking(new MlflowClient(settings.trackingUri, access), settings, (request) =>
      this.#trying(request),
    );
  }

  open(run: SinkRun): void {
    this.#done = this.#work(run);
  }

  /** @param at ms since 1970 */
  add(event: StepEvent | EvaluationEvent, at: number): void {
    if (this.#waiting.length >= MOST_WAITING) this.#lost++;
    else this.#waiting.push({ event, at });
    this.#wake();
  }

  /** @returns whether the server has all of the run */
  async close(end: SinkEnd | undefined): Promise<boolean> {
    const { answering, silent } = this.#times.close;
    this.#endWithin(this.#trouble === undefined ? answering : silent);
    this.#end = end;
    this.#closing = true;
    this.#wake();
    await this.#done;
    this.#lost += this.#waiting.length;
    const isWhole = this.#finished && this.#lost === 0;
    const { trackingUri } = this.#options.settings;
    const what =
      this.#lost === 0 ? "how the run ended is" : `${counted(this.#lost, "step")} and evaluations are`;
    if (!isWhole)
      this.#options.warn({
        message: `mlflow: ${what} not on ${trackingUri}: ${this.#trouble ?? "there was not enough time"}`,
        hint: "metrics.jsonl has all numbers; run the same command again, and what the server lacks is sent",
      });
    return isWhole;
  }

  /** Leaves less time for the end, which may have come or not. */
  hurry(): void {
    this.#endWithin(this.#times.close.hurried);
    this.#wake();
  }

  #endWithin(ms: number): void {
    this.#deadline = Math.min(this.#deadline, performance.now() + ms);
  }

  async #work(run: SinkRun): Promise<void> {
    try {
      const { key, runId, onRun } = this.#options;
      const tracked = await this.#tracking.open(run, key, runId);
      onRun(tracked.id);
      this.#takeUp(run, tracked);
      while (await this.#hasMore()) await this.#send(tracked.id);
      const end = this.#end;
      if (end !== undefined)
        await this.#tracking.end(tracked.id, STATUS[end.reason], Math.round(end.at), {
          "promptloss.end": end.reason,
        });
      this.#finished = true;
    } catch (error) {
      if (!(error instanceof GivenUp)) this.#fault(error as Error, "nothing more is sent to it");
    }
  }

  /** What the server has is not sent again; what it lacks of the run's past goes first. */
  #takeUp({ past, startedAt }: SinkRun, { reached }: TrackedRun): void {
    const isNew = ({ event: { type, step } }: Waiting): boolean => step > reached[type];
    const fresh = this.#waiting.splice(0).filter(isNew);
    this.#waiting.push(...timed(past, startedAt).filter(isNew), ...fresh);
  }

  /** Waits until there is something to send, and a while for more; false where there is nothing and nothing comes. */
  async #hasMore(): Promise<boolean> {
    while (this.#waiting.length === 0 && !this.#closing) await this.#pause(Number.POSITIVE_INFINITY);
    const until = performance.now() + this.#times.gather;
    while (!this.#closing && this.#waiting.length < LIMITS.metrics && performance.now() < until)
      await this.#pause(until - performance.now());
    return this.#waiting.length > 0;
  }

  /** As many as go into one request. */
  async #send(runId: string): Promise<void> {
    const metrics: MlflowMetric[] = [];
    let taken = 0;
    for (const { event, at } of this.#waiting) {
      const own = metricsOf(event, at);
      if (metrics.length + own.length > LIMITS.metrics) break;
      metrics.push(...own);
      taken++;
    }
    try {
      await this.#tracking.log(runId, metrics);
    } catch (error) {
      if (!(error instanceof MlflowError) || error.status !== 400) throw error;
      // The next may be taken.
      this.#lost += taken;
      this.#fault(error, "the run goes on, and so does what comes after");
    }
    this.#waiting.splice(0, taken);
  }

  /**
   * Sends a request until it succeeds.
   * @throws {MlflowError} where the server refuses, {GivenUp} where the time is up
   */
  async #trying<T>(request: (timeout: number) => Promise<T>): Promise<T> {
    const { firstPause, longestPause } = this.#times;
    for (let pause = firstPause; ; pause = Math.min(2 * pause, longestPause)) {
      const left = this.#deadline - performance.now();
      if (left <= 0) throw new GivenUp();
      try {
        const answer = await request(Math.min(this.#options.settings.timeout, left));
        this.#trouble = undefined;
        return answer;
      } catch (error) {
        if (!(error instanceof MlflowError) || !error.passing) throw error;
        this.#fault(error, "the run goes on, and what it has is sent later");
        const until = performance.now() + pause;
        const wasClosing = this.#closing;
        // The end of the run is a moment to try at once.
        while (performance.now() < Math.min(until, this.#deadline) && this.#closing === wasClosing)
          await this.#pause(Math.min(until, this.#deadline) - performance.now());
        if (this.#closing !== wasClosing) pause = firstPause / 2;
      }
    }
  }

  #fault({ message }: Error, consequence: string): void {
    this.#trouble = message;
    if (this.#closing) this.#endWithin(this.#times.close.silent);
    if (this.#warned) return;
    this.#warned = true;
    const { trackingUri } = this.#options.settings;
    this.#options.warn({ message: `mlflow: ${trackingUri}: ${message}; ${consequence}` });
  }

  /** Until something is new, or some time has gone by. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = Number.isFinite(ms) ? setTimeout(resolve, Math.max(0, ms)) : undefined;
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
