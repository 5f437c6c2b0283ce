// A checkpoint: all that a run needs to go on as if it had never stopped. A folder of trained weights, the optimizer's
// state, and state.json with the hashes of both and of itself; written under another name and renamed, so that it is whole
// or absent.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { noGrad, readSafetensors, scope, type Tensor, writeSafetensors } from "@promptloss/torch";
import { replaceFolder, writeJson } from "../../files/atomic.ts";
import { CheckpointError } from "../errors.ts";
import { hashOf } from "./files.ts";

const VERSION = 2;
const WEIGHTS = "weights.safetensors";
const OPTIMIZER = "optimizer.safetensors";
const STATE = "state.json";
const RNG = "rng";

export interface BestEvaluation {
  readonly step: number;
  readonly value: number;
  /** Of its weights' file; undefined where they are not kept. */
  readonly hash: string | undefined;
}

/** What a run remembers beside its tensors. */
export interface RunState {
  /** Steps done. */
  readonly step: number;
  /** Tokens trained on. */
  readonly tokens: number;
  /** Seconds of training, over all processes. */
  readonly seconds: number;
  readonly optimizerSteps: number;
  /** The best evaluation so far, by the value of `evaluation.metric`. */
  readonly best?: BestEvaluation;
  /** Evaluations since then. */
  readonly evaluationsSinceBest: number;
}

export interface Checkpoint {
  readonly state: RunState;
  /** Trained weights by name. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The optimizer's moments. */
  readonly optimizer: ReadonlyMap<string, Tensor>;
  /** The random generator's state. */
  readonly rng: Tensor;
  /** Those of the other processes that train, rank 1 first. */
  readonly otherRngs: readonly Tensor[];
}

interface StateFile {
  readonly version: number;
  /** Of the run: its recipe, data and starting model. */
  readonly fingerprint: string;
  readonly state: RunState;
  readonly files: Readonly<Record<string, string>>;
}

/** Of what state.json says. */
function hashOfState({ version, fingerprint, state, files }: StateFile): string {
  return createHash("sha256")
    .update(JSON.stringify([version, fingerprint, state, files]))
    .digest("hex");
}

/**
 * Writes a checkpoint folder, in the place of one that is there.
 * @param fingerprint what a run that resumes from it must share
 */
export function writeCheckpoint(folder: string, fingerprint: string, checkpoint: Checkpoint): void {
  replaceFolder(folder, (draft) => {
    noGrad(() =>
      scope(() => {
        writeSafetensors(join(draft, WEIGHTS), checkpoint.weights);
        const others = checkpoint.otherRngs.map((rng, i): [string, Tensor] => [otherRng(i + 1), rng]);
        const optimizer = new Map([...checkpoint.optimizer, [RNG, checkpoint.rng], ...others]);
        writeSafetensors(join(draft, OPTIMIZER), optimizer);
      }),
    );
    const files = Object.fromEntries([WEIGHTS, OPTIMIZER].map((name) => [name, hashOf(join(draft, name))]));
    const state: StateFile = { version: VERSION, fingerprint, state: checkpoint.state, files };
    writeJson(join(draft, STATE), { ...state, hash: hashOfState(state) });
  });
}

/** Makes a checkpoint of one run that of another, which continues it. A damaged one, or one of a third run, stays. */
export function renameRun(folder: string, from: string, to: string): void {
  let found: StateFile;
  try {
    found = readState(folder);
  } catch (error) {
    if (error instanceof CheckpointError) return;
    throw error;
  }
  if (found.fingerprint !== from) return;
  const { version, state, files } = found;
  const renamed: StateFile = { version, fingerprint: to, state, files };
  writeJson(join(folder, STATE), { ...renamed, hash: hashOfState(renamed) });
}

/**
 * Reads a checkpoint folder and checks every byte of it. The tensors are the caller's.
 * @throws {CheckpointError} where it is not there, damaged, or of another run
 */
export function readCheckpoint(folder: string, fingerprint: string): Checkpoint {
  const { version, fingerprint: found, state, files } = readState(folder);
  if (version !== VERSION)
    throw new CheckpointError(folder, "foreign", `is of version ${version}, this program reads ${VERSION}`, {
      hint: "give --overwrite to begin the run anew, or go on with the program that wrote it",
    });
  if (found !== fingerprint)
    throw new CheckpointError(folder, "foreign", "is of a run with another recipe, data or starting model", {
      hint: "give the run another output folder, or remove the checkpoints of the old one",
    });
  checkFiles(folder, files);
  const optimizer = readSafetensors(join(folder, OPTIMIZER));
  const rng = optimizer.get(RNG);
  if (rng === undefined) throw new CheckpointError(folder, "damaged", `${OPTIMIZER} has no ${RNG}`);
  optimizer.delete(RNG);
  const otherRngs: Tensor[] = [];
  for (let rank = 1; optimizer.has(otherRng(rank)); rank++) {
    otherRngs.push(optimizer.get(otherRng(rank))!);
    optimizer.delete(otherRng(rank));
  }
  return { state, weights: readSafetensors(join(folder, WEIGHTS)), optimizer, rng, otherRngs };
}

/** The name of another rank's generator: no moment's, which begins with `first.` or `second.`. */
function otherRng(rank: number): string {
  return `${RNG}.${rank}`;
}

/** @throws {CheckpointError} where a file is not there, or not what was written */
function checkFiles(folder: string, files: StateFile["files"]): void {
  for (const name of [WEIGHTS, OPTIMIZER]) {
    const file = join(folder, name);
    if (!existsSync(file)) throw new CheckpointError(folder, "damaged", `${name} is missing`);
    if (hashOf(file) !== files[name])
      throw new CheckpointError(folder, "damaged", `${name} is not what was written`);
  }
}

/**
 * What a checkpoint says of its run, of whatever run, every byte of it checked.
 * @throws {CheckpointError} where it is not there or damaged
 */
export function readWholeState(folder: string): RunState {
  const { state, files } = readState(folder);
  checkFiles(folder, files);
  return state;
}

/**
 * What a checkpoint says of its run, without its tensors.
 * @throws {CheckpointError} where it is not there or not what was written
 */
export function readState(folder: string): StateFile {
  const path = join(folder, STATE);
  if (!existsSync(path)) throw new CheckpointError(folder, "missing", `there is no ${STATE}`);
  let found: (StateFile & { hash?: unknown }) | null;
  try {
    found = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new CheckpointError(folder, "damaged", `${STATE} is not JSON`, { cause });
  }
  if (typeof found !== "object" || found === null || found.hash !== hashOfState(found))
    throw new CheckpointError(folder, "damaged", `${STATE} is not what was written`);
  return found;
}
