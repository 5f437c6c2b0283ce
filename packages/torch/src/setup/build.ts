// Builds the native code for one libtorch, in a folder of that libtorch's own, and makes it the build in use.
// Builds for several libtorchs lie side by side; going back to one builds nothing.
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "../machine.ts";
import { buildKey, holdsCachedBuild, keepBuild, takeCachedBuild } from "./build-cache.ts";
import { factsFor, linkLibtorch } from "./build-record.ts";
import { buildUnits, type UnitResult } from "./build-unit.ts";
import { type Compiler, findCompiler } from "./compiler.ts";
import {
  buildFolder,
  type CurrentBuild,
  currentBuildOf,
  packageFolder,
  writeCurrentBuild,
} from "./current-build.ts";
import { type Libtorch, sharedLibraryExtension } from "./libtorch.ts";
import { openmpArguments } from "./openmp.ts";
import { unitsFor } from "./units.ts";

export interface BuildOptions {
  /** The folder with `ops/` and `binding/`; the package's own when left out. */
  readonly nativeDir?: string;
  /** Where builds and `current.json` go; the package's own when left out. */
  readonly outputDir?: string;
  readonly compiler?: Compiler;
  readonly log?: (line: string) => void;
  /** Where a bar can be drawn while files compile. */
  readonly terminal?: NodeJS.WriteStream | undefined;
}

export interface BuildResult {
  readonly current: CurrentBuild;
  /** The folder of this libtorch's build. */
  readonly folder: string;
  /** Sources that were compiled this time, such as `ops/loss.cpp`. */
  readonly compiled: readonly string[];
  /** Libraries that were linked this time. */
  readonly linked: readonly string[];
}

/**
 * Builds what is out of date and writes `current.json`.
 *
 * @throws {CompilerNotFoundError}, {BuildError}
 */
export async function buildNative(
  libtorch: Libtorch,
  machine: Machine,
  options: BuildOptions = {},
): Promise<BuildResult> {
  const { nativeDir = join(packageFolder, "native"), outputDir = buildFolder, log = () => {} } = options;
  const compiler = options.compiler ?? (await findCompiler(machine));
  const openmp = await openmpArguments(compiler, machine, join(outputDir, "probes"));
  const units = unitsFor(libtorch, machine, { nativeDir, openmp });
  const folder = join(outputDir, `${libtorch.version}-${digest([libtorch.root, compiler])}`);
  const identity = identityOf(libtorch, machine);
  const facts = factsFor(libtorch, machine, nativeDir);
  const key = buildKey(units, nativeDir, facts, [compiler, libtorch.root, identity]);
  let results: readonly UnitResult[];
  if (holdsCachedBuild(folder, key) || takeCachedBuild(machine, key, folder)) {
    results = units.map((unit) => ({
      library: join(folder, unit.output),
      compiled: [],
      linked: false,
    }));
  } else {
    results = await buildUnits(units, {
      machine,
      compiler,
      folder,
      identity,
      log,
      terminal: options.terminal,
    });
    const libraries = results.flatMap((result) => result.library ?? []);
    if (libraries.length === units.length) keepBuild(machine, { ...facts, key }, libraries);
  }
  const libraryOf = (name: string): string | undefined =>
    results[units.findIndex((unit) => unit.name === name)]?.library;
  if (results.some((result) => result.library !== undefined)) linkLibtorch(folder, libtorch.libDir);
  const current = currentBuildOf(libtorch, { addon: libraryOf("binding"), ops: libraryOf("ops") });
  writeCurrentBuild(current, outputDir);
  const named = (pick: (result: UnitResult) => readonly string[]): string[] =>
    results.flatMap((result, i) => pick(result).map((name) => `${units[i]!.name}/${name}`));
  return {
    current,
    folder,
    compiled: named((result) => result.compiled),
    linked: named((result) => (result.linked ? [units[results.indexOf(result)]!.output] : [])),
  };
}

/** A libtorch as it is: one that is replaced in place, such as by a package's update, makes its objects out of date. */
export function identityOf(libtorch: Libtorch, machine: Machine): string {
  const path = join(libtorch.libDir, `libtorch_cpu${sharedLibraryExtension(machine.platform)}`);
  const { size, mtimeMs } = statSync(path);
  return `${libtorch.version} ${size} ${mtimeMs}`;
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 10);
}
