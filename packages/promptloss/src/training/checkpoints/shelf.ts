// The checkpoints of one run: written in turn, the last few kept, the newest whole one found again.
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { makeFolder } from "../../files/atomic.ts";
import { adoptBestWeights } from "../best-weights.ts";
import { CheckpointError } from "../errors.ts";
import type { Ranks } from "../ranks/index.ts";
import {
  type Checkpoint,
  type OpenCheckpoint,
  type RunState,
  readCheckpoint,
  readState,
  readWholeState,
  renameRun,
  writeCheckpoint,
} from "./checkpoint.ts";

const NAME = /^step-(?<step>\d+)$/;

/** Steps of the checkpoints in a folder, newest first; none where there is no such folder. */
export function checkpointSteps(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .flatMap((name) => NAME.exec(name)?.groups?.step ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

export class CheckpointShelf {
  readonly folder: string;
  readonly #fingerprint: string;
  readonly #keep: number;

  /** @param keep how many of the newest stay */
  constructor(folder: string, fingerprint: string, keep: number) {
    this.folder = folder;
    this.#fingerprint = fingerprint;
    this.#keep = keep;
  }

  /** Steps of the checkpoints there are, newest first. */
  steps(): number[] {
    return checkpointSteps(this.folder);
  }

  /** Takes over the checkpoints of another run, and the weights of its best steps: this run continues it. */
  adopt(fingerprint: string): void {
    for (const step of this.steps()) renameRun(this.#pathOf(step), fingerprint, this.#fingerprint);
    adoptBestWeights(this.folder, fingerprint, this.#fingerprint);
  }

  /**
   * Writes a checkpoint, then removes those that are too many. Gives its path.
   * @param sharers processes that have a part of the state each, and all call this
   */
  add(checkpoint: Checkpoint, sharers?: Ranks): string {
    const path = this.#pathOf(checkpoint.state.step);
    if (sharers === undefined || sharers.isFirst) makeFolder(this.folder);
    writeCheckpoint(path, this.#fingerprint, checkpoint, sharers);
    if (sharers !== undefined && !sharers.isFirst) return path;
    for (const step of this.steps().slice(this.#keep))
      rmSync(this.#pathOf(step), { recursive: true, force: true });
    return path;
  }

  /**
   * The newest checkpoint that is whole; undefined where there is none.
   * @param onDamaged told of each newer one that is not
   * @throws {CheckpointError} where the newest is of another run
   */
  newest(onDamaged: (error: CheckpointError) => void): OpenCheckpoint | undefined {
    for (const step of this.steps()) {
      try {
        return readCheckpoint(this.#pathOf(step), this.#fingerprint);
      } catch (error) {
        if (!(error instanceof CheckpointError) || error.fault === "foreign") throw error;
        onDamaged(error);
      }
    }
    return undefined;
  }

  /** The steps that checkpoints call their best evaluation. */
  bestSteps(): number[] {
    return [...this.#states((path) => readState(path).state)].flatMap(({ best }) => best?.step ?? []);
  }

  /** What the newest checkpoint that is whole remembers, of whatever run; undefined where there is none. */
  newestState(): RunState | undefined {
    for (const state of this.#states(readWholeState)) return state;
    return undefined;
  }

  /** Newest first, without those that nobody can resume from. */
  *#states(read: (path: string) => RunState): Generator<RunState> {
    for (const step of this.steps()) {
      try {
        yield read(this.#pathOf(step));
      } catch (error) {
        if (!(error instanceof CheckpointError)) throw error;
      }
    }
  }

  #pathOf(step: number): string {
    return join(this.folder, `step-${String(step).padStart(6, "0")}`);
  }
}
