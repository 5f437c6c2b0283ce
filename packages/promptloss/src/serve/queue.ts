// So many requests run at once, the others wait in order; so many and no more, and no longer than the limit. Those that run
// share their model's running batch.
import PQueue from "p-queue";
import { ServeError } from "./errors.ts";
import type { ServeLimits } from "./limits.ts";

type QueueLimits = Pick<ServeLimits, "running" | "waiting" | "seconds">;

export class EngineQueue {
  readonly #limits: QueueLimits;
  readonly #queue: PQueue;
  readonly #stop = new AbortController();
  #closed = false;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
    this.#queue = new PQueue({ concurrency: limits.running });
  }

  /** Requests at work. */
  get running(): number {
    return this.#queue.pending;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * Waits for the engine and works with it.
   * @param work stops early when the signal that it is given is aborted
   * @param client aborted when the client is gone
   * @throws {ServeError} 503 where too many wait or the server ends, 504 after the time limit, 499 without the client
   */
  async run<T>(work: (signal: AbortSignal) => Promise<T>, client: AbortSignal): Promise<T> {
    const { running, waiting, seconds } = this.#limits;
    if (this.#closed) throw shuttingDown();
    if (this.running >= running && this.waiting >= waiting)
      throw new ServeError(503, `${this.waiting} requests wait already`, {
        code: "queue_full",
        hint: "try again in a while",
      });
    // Let go of at the end: AbortSignal.timeout and AbortSignal.any would hold all of a request until the time limit.
    const ending = new AbortController();
    const { signal } = ending;
    const end = (): void => ending.abort();
    const timer = setTimeout(end, seconds * 1000);
    const sources = [client, this.#stop.signal];
    for (const source of sources) source.addEventListener("abort", end, { once: true });
    if (sources.some(({ aborted }) => aborted)) end();
    const stopped = (): ServeError => {
      if (client.aborted) return new ServeError(499, "the client has gone");
      if (this.#stop.signal.aborted) return shuttingDown();
      return new ServeError(504, `the completion took longer than ${seconds} seconds`, {
        code: "timeout",
        hint: "ask for fewer tokens, or try when fewer requests wait",
      });
    };
    // Leaves the queue when aborted; work that runs ends by itself, and holds the engine until it has.
    const leave = new AbortController();
    let started = false;
    const onAbort = (): void => {
      if (!started) leave.abort();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const start = (): Promise<T> => {
        started = true;
        return work(signal);
      };
      const result = await this.#queue.add(start, { signal: leave.signal });
      if (signal.aborted) throw stopped();
      return result;
    } catch (error) {
      throw signal.aborted ? stopped() : error;
    } finally {
      clearTimeout(timer);
      for (const source of sources) source.removeEventListener("abort", end);
    }
  }

  /** Takes no more requests, lets those that are there finish within the grace, then stops them. */
  async close(graceSeconds: number): Promise<void> {
    this.#closed = true;
    const timer = setTimeout(() => this.#stop.abort(), graceSeconds * 1000);
    await this.#queue.onIdle();
    clearTimeout(timer);
  }

  /** Stops all at once. */
  abort(): void {
    this.#closed = true;
    this.#stop.abort();
  }
}

function shuttingDown(): ServeError {
  return new ServeError(503, "the server is shutting down", { code: "shutting_down" });
}
