// The folder of a run: manifest.json, metrics.jsonl, checkpoints/, tensorboard/, model/, probes.json, profile/. One process at a
// time writes to it.
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { removeDrafts } from "../files/atomic.ts";
import { FolderLock, holderText } from "../files/lock.ts";
import { TrainingError } from "./errors.ts";
import { readManifest } from "./manifest.ts";

const NAMES = {
  manifest: "manifest.json",
  metrics: "metrics.jsonl",
  checkpoints: "checkpoints",
  tensorboard: "tensorboard",
  model: "model",
  probes: "probes.json",
  profile: "profile",
} as const;

/** All that a run writes into its folder, and that beginning anew removes. */
export function placesOf(folder: string): string[] {
  return Object.values(NAMES).map((name) => join(folder, name));
}

export class RunFolder {
  readonly path: string;
  readonly #lock: FolderLock;

  /**
   * Takes a folder for a run.
   * @param overwrite remove what another run left there
   * @throws TrainingError where another process holds it, or another run lies there; OutputError where it can't be made
   */
  constructor(path: string, fingerprint: string, { overwrite = false }: { overwrite?: boolean } = {}) {
    this.path = path;
    this.#lock = takeLock(path);
    try {
      if (overwrite) this.#clear();
      // Whoever left drafts here is dead: the lock says so.
      for (const folder of [path, this.checkpoints]) if (existsSync(folder)) removeDrafts(folder, 0);
      const found = readManifest(this.manifest);
      if (found !== undefined && found.fingerprint !== fingerprint)
        throw new TrainingError(`${path} holds another run: its recipe, data or model differ`, {
          hint: "name another output, or give --overwrite to start anew",
        });
    } catch (error) {
      this.release();
      throw error;
    }
  }

  get manifest(): string {
    return join(this.path, NAMES.manifest);
  }

  get metrics(): string {
    return join(this.path, NAMES.metrics);
  }

  get checkpoints(): string {
    return join(this.path, NAMES.checkpoints);
  }

  get tensorboard(): string {
    return join(this.path, NAMES.tensorboard);
  }

  get model(): string {
    return join(this.path, NAMES.model);
  }

  get probes(): string {
    return join(this.path, NAMES.probes);
  }

  get profile(): string {
    return join(this.path, NAMES.profile);
  }

  release(): void {
    this.#lock.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #clear(): void {
    for (const path of placesOf(this.path)) rmSync(path, { recursive: true, force: true });
  }
}

function takeLock(folder: string): FolderLock {
  for (;;) {
    const lock = FolderLock.take(folder);
    if (lock !== undefined) return lock;
    const holder = FolderLock.holder(folder);
    // Undefined where it was given back meanwhile.
    if (holder !== undefined)
      throw new TrainingError(`${folder}: ${holderText(holder)} is training in it`, {
        hint: "wait for it, or name another output",
      });
  }
}
