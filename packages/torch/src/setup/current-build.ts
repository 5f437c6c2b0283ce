// The record of the build in use: which libraries to load and the libtorch that they were built for.
// Set-up writes it, the package's loader and `promptloss doctor` read it.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolder, replaceFile } from "../files/atomic.ts";
import type { LibtorchOrigin } from "./libtorch.ts";

export interface CurrentBuild {
  /** Absolute path of the Node-API addon; absent when it has no sources. */
  readonly addon?: string;
  /** Absolute path of the library of fused operators; absent when it has no sources. */
  readonly ops?: string;
  readonly libtorch: {
    readonly root: string;
    /** The folder with its shared libraries. */
    readonly lib: string;
    readonly version: string;
    readonly origin: LibtorchOrigin;
    readonly cuda: boolean;
    readonly mps: boolean;
  };
  /** The folders with libtorch's headers. */
  readonly headers: readonly string[];
}

/** The package's folder, from `src/setup` as well as from `dist/setup`. */
export const packageFolder: string = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Where builds go. */
export const buildFolder: string = join(packageFolder, "build");

/** The record that set-up wrote last into `folder`; undefined when there is none. */
export function readCurrentBuild(folder: string = buildFolder): CurrentBuild | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, "current.json"), "utf8")) as CurrentBuild;
  } catch {
    return undefined;
  }
}

/** Replaces the record at once, if it differs. */
export function writeCurrentBuild(build: CurrentBuild, folder: string = buildFolder): void {
  if (JSON.stringify(readCurrentBuild(folder)) === JSON.stringify(build)) return;
  makeFolder(folder);
  replaceFile(join(folder, "current.json"), `${JSON.stringify(build, null, 2)}\n`);
}
