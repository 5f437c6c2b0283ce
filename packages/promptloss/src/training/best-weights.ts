// The weights of the best evaluation, on disk beside the checkpoints: a file for each step that a checkpoint or the run
// at hand calls its best, so that a run that goes back to an older checkpoint finds the best of that one.
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { noGrad, scope, type TensorToWrite, writeSafetensors } from "@promptloss/torch";
import { makeFolder } from "../files/atomic.ts";
import { hashOf } from "./checkpoints/files.ts";
import { PieceReader, type SavedPiece } from "./checkpoints/pieces.ts";
import { CheckpointError } from "./errors.ts";

const NAME = /^best-[0-9a-f]+-step-(?<step>\d+)\.safetensors$/;

export class BestWeights {
  readonly #folder: string;
  readonly #prefix: string;

  constructor(folder: string, fingerprint: string) {
    makeFolder(folder);
    this.#folder = folder;
    this.#prefix = prefixOf(fingerprint);
  }

  /** Gives the file's hash, by which {@link restore} knows it again. */
  write(step: number, parameters: ReadonlyMap<string, TensorToWrite>): string {
    const path = this.#pathOf(step);
    writeSafetensors(path, parameters, { metadata: { step: String(step) } });
    return hashOf(path);
  }

  /**
   * Copies the weights of a step into the parameters, or pieces of them.
   * @throws {CheckpointError} where they are not there, or not what was written
   */
  restore(step: number, hash: string, parameters: ReadonlyMap<string, SavedPiece>): void {
    const path = this.#pathOf(step);
    const hint = "give --overwrite to begin the run anew";
    if (!existsSync(path))
      throw new CheckpointError(path, "missing", `the best weights, of step ${step}, are not there`, {
        hint,
      });
    if (hashOf(path) !== hash)
      throw new CheckpointError(path, "damaged", "the best weights are not what was written", { hint });
    using weights = new PieceReader(path, [path]);
    noGrad(() => {
      for (const [name, { tensor, begin }] of parameters)
        scope(() => tensor.copy_(weights.read(name, tensor.shape, begin)));
    });
  }

  /** Removes the weights of all other steps. */
  keepOnly(steps: ReadonlySet<number>): void {
    for (const name of readdirSync(this.#folder)) {
      const step = NAME.exec(name)?.groups?.step;
      if (step !== undefined && !steps.has(Number(step))) rmSync(join(this.#folder, name), { force: true });
    }
  }

  #pathOf(step: number): string {
    return join(this.#folder, `${this.#prefix}-step-${String(step).padStart(6, "0")}.safetensors`);
  }
}

/** Gives the best weights of one run to another, which continues it. */
export function adoptBestWeights(folder: string, from: string, to: string): void {
  for (const name of readdirSync(folder)) {
    const prefix = prefixOf(from);
    if (NAME.test(name) && name.startsWith(prefix))
      renameSync(join(folder, name), join(folder, `${prefixOf(to)}${name.slice(prefix.length)}`));
  }
}

function prefixOf(fingerprint: string): string {
  return `best-${fingerprint.slice(0, 16)}`;
}
