// `promptloss train --profile`: records the operators of a few steps after the first, when memory and compiled products
// are in place, and leaves a trace and a table in the run's folder.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromeTrace, operatorTimes, type Profile, startProfile, stopProfile } from "@promptloss/torch";
import { makeFolder } from "../files/atomic.ts";
import type { EventListener, TrainingEvent } from "./events/event.ts";

/** Steps before the recording, and in it. */
const WARM_UP = 2;
const STEPS = 3;

export class StepProfiler {
  readonly #folder: string;
  readonly #emit: EventListener;
  #seen = 0;
  #recording = false;

  /** @param folder for `trace.json` and `operators.txt`, made where missing */
  constructor(folder: string, emit: EventListener) {
    this.#folder = folder;
    this.#emit = emit;
  }

  /** Told of every event of a run, at once. */
  add({ type, ...event }: TrainingEvent): void {
    if (type !== "step") return;
    this.#seen++;
    if (this.#seen === WARM_UP) {
      startProfile();
      this.#recording = true;
    }
    if (this.#seen !== WARM_UP + STEPS) return;
    this.#recording = false;
    this.#write(stopProfile(), (event as { step: number }).step);
  }

  /** Ends a recording that the run did not live to end. */
  close(): void {
    if (this.#recording) stopProfile();
    this.#recording = false;
    if (this.#seen < WARM_UP + STEPS)
      this.#emit({ type: "note", message: `no profile: that takes ${WARM_UP + STEPS} steps` });
  }

  /** Ends a recording where the run failed in it. */
  [Symbol.dispose](): void {
    if (this.#recording) stopProfile();
  }

  #write(profile: Profile, last: number): void {
    makeFolder(this.#folder);
    writeFileSync(join(this.#folder, "trace.json"), chromeTrace(profile));
    const table = profileTable(profile);
    writeFileSync(join(this.#folder, "operators.txt"), `${table.join("\n")}\n`);
    const steps = `steps ${last - STEPS + 1} to ${last}`;
    const shown = table.slice(0, 16).map((line) => `  ${line}`);
    this.#emit({
      type: "note",
      message: [`profile of ${steps} in ${this.#folder}: trace.json for ui.perfetto.dev`, ...shown].join(
        "\n",
      ),
    });
  }
}

/** One line an operator, those first that took most by themselves. */
export function profileTable(profile: Profile): string[] {
  const times = operatorTimes(profile);
  const whole = times.reduce((sum, { self }) => sum + self, 0);
  const line = (...cells: string[]): string =>
    cells.map((cell, i) => (i === 4 ? cell : cell.padStart(10))).join("  ");
  return [
    line("self ms", "share", "total ms", "calls", "operator"),
    ...times.map(({ name, calls, total, self }) =>
      line(
        self.toFixed(1),
        `${((100 * self) / whole).toFixed(1)} %`,
        total.toFixed(1),
        calls.toLocaleString("en-US"),
        name,
      ),
    ),
  ];
}
