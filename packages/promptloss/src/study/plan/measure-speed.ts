// How fast a cell trains here: a few steps of its recipe in a process of its own, which is killed before it writes
// anything that takes room.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import type { StepEvent } from "../../training/events/event.ts";
import { startTrainingProcess } from "../../training/start-process.ts";
import { StudyError } from "../errors.ts";
import type { Cell } from "./cell.ts";

/** The first is left out: it pays for what is done once. */
const STEPS = 4;

/**
 * Tokens a second, over three steps after the first.
 * @throws {StudyError} where the training fails
 */
export async function measureSpeed({ id, recipe }: Cell): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-speed-"));
  const file = join(folder, "recipe.yaml");
  const { epochs: _epochs, ...training } = recipe.training;
  const { evaluation: _evaluation, ...rest } = recipe;
  const short = {
    ...rest,
    training: { ...training, steps: STEPS },
    checkpoints: { every: "never" },
    probes: {},
    output: join(folder, "run"),
  };
  const steps: StepEvent[] = [];
  let failure: string | undefined;
  try {
    writeFileSync(file, stringify(short));
    const { child, done } = startTrainingProcess({ file }, (event) => {
      if (event.type === "error") failure = event.message;
      if (event.type !== "step") return;
      steps.push(event);
      if (steps.length === STEPS) child.kill("SIGKILL");
    });
    // It is meant to be killed; what else ended it, its own error says or the steps that lack.
    await done.catch((error: Error) => {
      if (steps.length < STEPS) failure ??= error.message;
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const counted = steps.slice(1);
  if (counted.length === 0)
    throw new StudyError(`cell ${id}: its speed could not be measured: ${failure ?? "it ended too soon"}`);
  const sum = (of: (step: StepEvent) => number): number =>
    counted.reduce((total, step) => total + of(step), 0);
  return sum(({ tokens }) => tokens) / sum(({ seconds }) => seconds);
}
