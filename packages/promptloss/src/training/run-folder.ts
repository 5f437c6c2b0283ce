// The folder of a run: manifest.json, metrics.jsonl, checkpoints/, tensorboard/, mlflow.json, wandb/, model/, probes.json,
// generations.jsonl, forgetting/, profile/. One process at a time writes to it.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeDrafts, restoreFolders } from "../files/atomic.ts";
import { FolderLock, holderText, isLockDraft } from "../files/lock.ts";
import { CheckpointShelf } from "./checkpoints/index.ts";
import { differencesOf, differencesText } from "./differences.ts";
import { TrainingError } from "./errors.ts";
import { extend, isLonger } from "./extend.ts";
import { type Manifest, readManifest } from "./manifest.ts";
import type { TrainingRun } from "./run.ts";

const NAMES = {
  manifest: "manifest.json",
  metrics: "metrics.jsonl",
  checkpoints: "checkpoints",
  tensorboard: "tensorboard",
  mlflow: "mlflow.json",
  wandb: "wandb",
  model: "model",
  probes: "probes.json",
  generations: "generations.jsonl",
  forgetting: "forgetting",
  profile: "profile",
} as const;

/** All that a run writes into its folder, and that beginning anew removes. */
export function placesOf(folder: string): string[] {
  return Object.values(NAMES).map((name) => join(folder, name));
}

/** Where a run's checkpoints lie. */
export function placeOfCheckpoints(folder: string): string {
  return join(folder, NAMES.checkpoints);
}

export interface RunFolderOptions {
  /** Remove what another run left there. */
  readonly overwrite?: boolean;
  /** Continue a run that differs in its length alone. */
  readonly extend?: boolean;
}

export class RunFolder {
  readonly path: string;
  readonly #lock: FolderLock;
  #extended: string | undefined;

  /**
   * Takes a folder for a run.
   * @throws {TrainingError} where another process holds it, or another run lies there; {OutputError} where it can't be made
   */
  constructor(run: TrainingRun, { overwrite = false, extend = false }: RunFolderOptions = {}) {
    const path = run.output;
    this.path = path;
    this.#lock = takeLock(path);
    try {
      if (overwrite) this.#clear();
      // Whoever left drafts here is dead: the lock says so. Those who ask for it now are not.
      for (const folder of [path, this.checkpoints])
        if (existsSync(folder)) {
          restoreFolders(folder, () => true);
          removeDrafts(folder, 0, (name) => !isLockDraft(name));
        }
      const found = readManifest(this.manifest);
      if (found === undefined && extend)
        throw new TrainingError(`${path}: there is no run to extend`, {
          hint: "is output the run's folder? Leave --extend out to begin a run",
        });
      if (found !== undefined && found.fingerprint !== run.fingerprint) this.#takeUp(found, run, extend);
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /** What has to be said of a run that continues a shorter one; undefined for all others. */
  get extended(): string | undefined {
    return this.#extended;
  }

  get manifest(): string {
    return join(this.path, NAMES.manifest);
  }

  get metrics(): string {
    return join(this.path, NAMES.metrics);
  }

  get checkpoints(): string {
    return placeOfCheckpoints(this.path);
  }

  get tensorboard(): string {
    return join(this.path, NAMES.tensorboard);
  }

  /** Which run of which MLflow server it is. */
  get mlflow(): string {
    return join(this.path, NAMES.mlflow);
  }

  /** Offline runs of Weights & Biases. */
  get wandb(): string {
    return join(this.path, NAMES.wandb);
  }

  get model(): string {
    return join(this.path, NAMES.model);
  }

  get probes(): string {
    return join(this.path, NAMES.probes);
  }

  /** Texts that the model continues training prompts with. */
  get generations(): string {
    return join(this.path, NAMES.generations);
  }

  /** Records of the model before and after. */
  get forgetting(): string {
    return join(this.path, NAMES.forgetting);
  }

  get profile(): string {
    return join(this.path, NAMES.profile);
  }

  /** @throws {LostLockError} where this process no longer holds the folder, and so must not write to it */
  check(): void {
    this.#lock.check();
  }

  release(): void {
    this.#lock.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  /** @throws {TrainingError} where the run that lies here is another, or not to be extended */
  #takeUp(found: Manifest, run: TrainingRun, extending: boolean): void {
    const differences = differencesOf(found, run);
    const text = differencesText(differences);
    if (!isLonger(differences, found, run))
      throw new TrainingError(`${this.path} holds another run${text === "" ? "" : `: ${text}`}`, {
        hint: "name another output, or give --overwrite to start anew",
      });
    if (!extending)
      throw new TrainingError(`${this.path} holds another run, the same but for its length: ${text}`, {
        hint: "give --extend to continue it from its last checkpoint, or --overwrite to start anew",
      });
    const { keep } = run.settings.checkpoints;
    this.#extended = extend(found, run, new CheckpointShelf(this.checkpoints, run.fingerprint, keep));
  }

  #clear(): void {
    for (const path of placesOf(this.path)) rmSync(path, { recursive: true, force: true });
  }
}

/** How often a lock is asked for that has no holder to be seen. */
const TRIES = 5;

function takeLock(folder: string): FolderLock {
  for (let tries = 1; ; tries++) {
    const lock = FolderLock.take(folder);
    if (lock !== undefined) return lock;
    const holder = FolderLock.holder(folder);
    // None where it was given back meanwhile; and, again and again, where this machine's clock is far ahead of the file
    // server's, so that a holder elsewhere looks silent.
    if (holder !== undefined || tries === TRIES)
      throw new TrainingError(
        `${folder}: ${holder === undefined ? "another process" : holderText(holder)} is training in it`,
        { hint: "wait for it, or name another output" },
      );
  }
}
