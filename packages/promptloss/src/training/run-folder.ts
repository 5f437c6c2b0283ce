// The folder of a run: manifest.json, metrics.jsonl, checkpoints/, tensorboard/, model/, probes.json, profile/. One process at a
// time writes to it.
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { TrainingError } from "./errors.ts";
import { readManifest } from "./manifest.ts";

export class RunFolder {
  readonly path: string;
  readonly #lock: string;

  /**
   * Takes a folder for a run.
   * @param overwrite remove what another run left there
   * @throws TrainingError where another process holds it, or another run lies there
   */
  constructor(path: string, fingerprint: string, { overwrite = false }: { overwrite?: boolean } = {}) {
    this.path = path;
    mkdirSync(path, { recursive: true });
    this.#lock = join(path, ".lock");
    takeLock(this.#lock, path);
    try {
      if (overwrite) this.#clear();
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
    return join(this.path, "manifest.json");
  }

  get metrics(): string {
    return join(this.path, "metrics.jsonl");
  }

  get checkpoints(): string {
    return join(this.path, "checkpoints");
  }

  get tensorboard(): string {
    return join(this.path, "tensorboard");
  }

  get model(): string {
    return join(this.path, "model");
  }

  get probes(): string {
    return join(this.path, "probes.json");
  }

  get profile(): string {
    return join(this.path, "profile");
  }

  release(): void {
    rmSync(this.#lock, { force: true });
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #clear(): void {
    for (const path of [
      this.manifest,
      this.metrics,
      this.checkpoints,
      this.tensorboard,
      this.model,
      this.probes,
      this.profile,
    ])
      rmSync(path, { recursive: true, force: true });
  }
}

const takeLock = (lock: string, folder: string): void => {
  for (;;) {
    try {
      const file = openSync(lock, "wx");
      writeSync(file, String(process.pid));
      closeSync(file);
      return;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST")
        throw new TrainingError(`${folder} can't be written to: ${(cause as Error).message}`, { cause });
    }
    const holder = Number(existsSync(lock) ? readFileSync(lock, "utf8") : "0");
    if (holder > 0 && isAlive(holder))
      throw new TrainingError(`process ${holder} is training in ${folder}`, {
        hint: "wait for it, or name another output",
      });
    // Left by a process that was killed.
    rmSync(lock, { force: true });
  }
};

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
};
