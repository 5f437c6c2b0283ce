// The record of the build in use: which libraries to load and the libtorch that they were built for.
// Set-up writes it, the package's loader and `promptloss doctor` read it.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFolder, replaceFile } from "../files/atomic.ts";
import { cacheFolder, thisMachine } from "../machine.ts";
import type { Libtorch, LibtorchOrigin } from "./libtorch.ts";

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

/** Whether this package is part of a clone of its repository rather than installed. */
export const isClone: boolean = existsSync(join(packageFolder, "tsconfig.json"));

/**
 * Where builds go: in a clone beside the sources; for an installed package, whose folder may be read-only or shared, in the
 * user's cache, so that it goes by the package's version and place.
 */
export const buildFolder: string = isClone ? join(packageFolder, "build") : installedBuildFolder();

function installedBuildFolder(): string {
  const { version } = JSON.parse(readFileSync(join(packageFolder, "package.json"), "utf8")) as {
    version: string;
  };
  const place = createHash("sha256").update(realpathSync(packageFolder)).digest("hex").slice(0, 10);
  return join(cacheFolder(thisMachine()), "builds", `${version}-${place}`);
}

/** What to type to run set-up here. */
export function setupCommand(argument?: string): string {
  if (isClone) return argument === undefined ? "npm run setup" : `npm run setup -- ${argument}`;
  return ["npx promptloss-torch setup", argument].filter((part) => part !== undefined).join(" ");
}

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

/** The record of a build for `libtorch`. */
export function currentBuildOf(
  libtorch: Libtorch,
  libraries: { readonly addon: string | undefined; readonly ops: string | undefined },
): CurrentBuild {
  const { addon, ops } = libraries;
  const { root, version, origin, cuda, mps, libDir, includeDirs } = libtorch;
  return {
    ...(addon === undefined ? {} : { addon }),
    ...(ops === undefined ? {} : { ops }),
    libtorch: { root, lib: libDir, version, origin, cuda, mps },
    headers: includeDirs,
  };
}
