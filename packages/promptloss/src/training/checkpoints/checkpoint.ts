// A checkpoint: all that a run needs to go on as if it had never stopped. A folder of trained weights, the optimizer's
// state, and state.json with the hashes of both and of itself; written under another name and renamed, so that it is whole
// or absent. Processes that divide weights and state write a file of each of their own into it, the first state.json last.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { noGrad, scope, type Tensor } from "@promptloss/torch";
import { replaceFolder, writeJson } from "../../files/atomic.ts";
import { CheckpointError, TrainingError } from "../errors.ts";
import type { Ranks } from "../ranks/index.ts";
import { hashOf } from "./files.ts";
import { PieceReader, type SavedPiece, writePieces } from "./pieces.ts";

const VERSION = 2;
const WEIGHTS = "weights";
const OPTIMIZER = "optimizer";
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
  /** Trained weights by name: those of this process, where several divide them. */
  readonly weights: ReadonlyMap<string, SavedPiece>;
  /** The optimizer's moments, likewise. */
  readonly optimizer: ReadonlyMap<string, SavedPiece>;
  /** The states of the random generators of all processes that train, rank 0's first. */
  readonly rngs: readonly Tensor[];
}

/** A checkpoint on disk. Close it with `using`. */
export interface OpenCheckpoint extends Disposable {
  readonly folder: string;
  readonly state: RunState;
  /** Weights and moments. */
  readonly pieces: PieceReader;
  /** Of the processes that wrote it, rank 0's first. The caller's. */
  readonly rngs: readonly Tensor[];
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
 * @param sharers processes that have a part of the state each, and all call this
 * @throws {TrainingError} where a process does not see the folder that the first writes to
 */
export function writeCheckpoint(
  folder: string,
  fingerprint: string,
  checkpoint: Checkpoint,
  sharers?: Ranks,
): void {
  const write = (draft: string): Record<string, string> => {
    const { weights, optimizer, rngs } = checkpoint;
    // Generators are with the first, as it is of no matter whose they are where another number of processes goes on.
    const generators =
      (sharers?.rank ?? 0) > 0 ? [] : rngs.map((tensor, rank) => [nameOfRng(rank), { tensor }] as const);
    const parts = { [WEIGHTS]: weights, [OPTIMIZER]: new Map([...optimizer, ...generators]) };
    return Object.fromEntries(
      Object.entries(parts).map(([part, pieces]) => {
        const name = sharers === undefined ? `${part}.safetensors` : fileOf(part, sharers);
        noGrad(() => scope(() => writePieces(join(draft, name), pieces)));
        return [name, hashOf(join(draft, name))];
      }),
    );
  };
  if (sharers !== undefined && !sharers.isFirst) {
    const draft = sharers.textOfFirst("");
    if (!existsSync(draft)) throw unseen(draft, sharers.rank);
    sharers.texts(JSON.stringify(write(draft)));
    return;
  }
  replaceFolder(folder, (draft) => {
    sharers?.textOfFirst(draft);
    const own = JSON.stringify(write(draft));
    const all = (sharers?.texts(own) ?? [own]).map((text) => JSON.parse(text) as Record<string, string>);
    const files = Object.assign({}, ...all) as Record<string, string>;
    const state: StateFile = { version: VERSION, fingerprint, state: checkpoint.state, files };
    writeJson(join(draft, STATE), { ...state, hash: hashOfState(state) });
  });
}

/** "weights-00002-of-00004.safetensors", as Hugging Face numbers files. */
function fileOf(part: string, { rank, size }: Ranks): string {
  const number = (value: number): string => String(value).padStart(5, "0");
  return `${part}-${number(rank + 1)}-of-${number(size)}.safetensors`;
}

/** A folder of the first process that another has not. */
export function unseen(folder: string, rank: number): TrainingError {
  return new TrainingError(`rank ${rank} does not see ${folder}, where rank 0 writes`, {
    hint: "with training.sharding each process writes its own part: give the run an output folder that all machines share",
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
 * Opens a checkpoint folder and checks every byte of it.
 * @throws {CheckpointError} where it is not there, damaged, or of another run
 */
export function readCheckpoint(folder: string, fingerprint: string): OpenCheckpoint {
  const { version, fingerprint: found, files } = readState(folder);
  if (version !== VERSION)
    throw new CheckpointError(folder, "foreign", `is of version ${version}, this program reads ${VERSION}`, {
      hint: "give --overwrite to begin the run anew, or resume with the program that wrote it",
    });
  if (found !== fingerprint)
    throw new CheckpointError(folder, "foreign", "is of a run with another recipe, data or starting model", {
      hint: "give the run another output folder, or remove the checkpoints of the old one",
    });
  checkFiles(folder, files);
  return openCheckpoint(folder);
}

/**
 * Opens a checkpoint that another process has checked.
 * @throws {CheckpointError} where it is not there, or lacks something
 */
export function openCheckpoint(folder: string): OpenCheckpoint {
  const { state, files } = readState(folder);
  const pieces = new PieceReader(
    folder,
    Object.keys(files).map((name) => join(folder, name)),
  );
  const rngs: Tensor[] = [];
  while (pieces.has(nameOfRng(rngs.length))) rngs.push(pieces.whole(nameOfRng(rngs.length)));
  if (rngs.length === 0) throw new CheckpointError(folder, "damaged", `has no ${nameOfRng(0)}`);
  return { folder, state, pieces, rngs, [Symbol.dispose]: () => pieces[Symbol.dispose]() };
}

/** The name of a rank's generator: no weight's, and no moment's, which begins with `first.` or `second.`. */
function nameOfRng(rank: number): string {
  return rank === 0 ? RNG : `${RNG}.${rank}`;
}

/** @throws {CheckpointError} where a file is not there, or not what was written */
function checkFiles(folder: string, files: StateFile["files"]): void {
  for (const [name, hash] of Object.entries(files)) {
    const file = join(folder, name);
    if (!existsSync(file)) throw new CheckpointError(folder, "damaged", `${name} is missing`);
    if (hashOf(file) !== hash)
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
