// The events of a job: a file to which lines are added, and listeners who hear of them as they come. Training's own events
// go in as they are, under the words and names that OpenAI's clients expect.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { refusing } from "../../files/atomic.ts";
import type { TrainingEvent } from "../../training/events/event.ts";
import { newId, now } from "../ids.ts";
import { type JobEvent, stepMetrics } from "./job.ts";

type Told = Pick<JobEvent, "message"> & Partial<Pick<JobEvent, "level" | "type" | "data">>;

export type JobEventListener = (event: JobEvent) => void;

export class JobEvents {
  readonly #file: string;
  readonly #listeners = new Set<JobEventListener>();
  /** Steps of the whole run, once training has said. */
  #steps: number | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** The oldest first. A last line that a dying process left half written is passed over. */
  all(): JobEvent[] {
    if (!existsSync(this.#file)) return [];
    return readFileSync(this.#file, "utf8")
      .split("\n")
      .flatMap((line) => parsed(line) ?? []);
  }

  add({ message, level = "info", type = "message", data = {} }: Told): void {
    const event: JobEvent = {
      id: newId("ftevent"),
      object: "fine_tuning.job.event",
      created_at: now(),
      level,
      message,
      type,
      data,
    };
    // A line break first: what a dying process left behind must not join it.
    refusing(this.#file, () => appendFileSync(this.#file, `\n${JSON.stringify(event)}`));
    for (const listener of this.#listeners) listener(event);
  }

  /** Adds what training tells; what only moves a progress bar is left out. */
  addTraining(event: TrainingEvent): void {
    if (event.type === "start") this.#steps = event.steps;
    const told = toldOf(event, this.#steps);
    if (told !== undefined) this.add({ ...told, data: { ...told.data, event: withoutPlaces(event) } });
  }

  /** @returns ends the listening */
  listen(listener: JobEventListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Where the server keeps things is nothing for clients. */
function withoutPlaces(event: TrainingEvent): object {
  const { run, model, path, ...rest } = event as TrainingEvent &
    Partial<Record<"run" | "model" | "path", string>>;
  return rest;
}

function parsed(line: string): JobEvent | undefined {
  if (line === "") return undefined;
  try {
    return JSON.parse(line) as JobEvent;
  } catch {
    return undefined;
  }
}

function toldOf(event: TrainingEvent, steps: number | undefined): Told | undefined {
  switch (event.type) {
    case "start": {
      const { rows, promptLossWeight, firstStep } = event;
      const from = firstStep === 0 ? "" : `, from step ${firstStep}`;
      return {
        message: `Training ${rows} rows in ${event.steps} steps${from}; prompt loss weight ${promptLossWeight}`,
      };
    }
    case "step":
      return {
        message: `Step ${event.step}${steps === undefined ? "" : `/${steps}`}: training loss=${event.loss.toFixed(4)}`,
        type: "metrics",
        data: stepMetrics(event, steps),
      };
    case "evaluation":
      return {
        message: `Step ${event.step}: validation loss=${event.loss.toFixed(4)}`,
        type: "metrics",
        data: {
          step: event.step,
          valid_loss: event.loss,
          ...(event.completion && { valid_mean_token_accuracy: event.completion.accuracy }),
        },
      };
    case "checkpoint":
      return { message: `Checkpoint at step ${event.step}` };
    case "note":
      return { message: event.message };
    case "warning":
      return { message: event.message, level: "warn" };
    case "error":
      return { message: event.message, level: "error" };
    case "end":
      return { message: `Training ended at step ${event.step}: ${event.reason}` };
    default:
      return undefined;
  }
}
