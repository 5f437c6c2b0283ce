// Native code that comes built, in a package per platform beside this one, such as @promptloss/torch-linux-x64. It serves
// where it was built from these very sources, for the very libtorch that is in use.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { type Machine, thisMachine } from "../machine.ts";
import type { BuildResult } from "./build.ts";
import {
  type BuildFacts,
  type BuildRecord,
  DISTRIBUTED_FOLDER,
  factsFor,
  fits,
  linkLibtorch,
  placeBuild,
  RECORD,
  readWholeBuild,
  writeBuild,
} from "./build-record.ts";
import {
  buildFolder,
  currentBuildOf,
  packageFolder,
  readCurrentBuild,
  setupCommand,
  writeCurrentBuild,
} from "./current-build.ts";
import { readDistributedBuild } from "./distributed.ts";
import { SetupError } from "./errors.ts";
import { describeLibtorch, type Libtorch } from "./libtorch.ts";
import { libraryNames } from "./units.ts";
import { FETCHED_VERSION, platformOf } from "./wheel.ts";

export interface Prebuilt {
  /** The folder with the libraries. */
  readonly folder: string;
  readonly record: BuildRecord;
}

/** The package that holds the native code for a platform such as `linux-x64`. */
export function prebuiltPackage(platform: string): string {
  return `@promptloss/torch-${platform}`;
}

/** The native code that is installed beside this package; undefined where there is none or it is not whole. */
export function findPrebuilt(machine: Machine, from: string = import.meta.url): Prebuilt | undefined {
  const platform = platformOf(machine);
  try {
    const folder = dirname(createRequire(from).resolve(`${prebuiltPackage(platform)}/package.json`));
    const record = readWholeBuild(folder);
    return record === undefined ? undefined : { folder, record };
  } catch {
    return undefined;
  }
}

export interface PrebuiltOptions {
  /** The folder with `ops/` and `binding/`; the package's own when left out. */
  readonly nativeDir?: string | undefined;
  /** Where builds and `current.json` go; the package's own when left out. */
  readonly outputDir?: string | undefined;
}

/** Whether the prebuilt code was made for this libtorch, and from these sources. */
export function serves(
  { record }: Prebuilt,
  libtorch: Libtorch,
  machine: Machine,
  { nativeDir = join(packageFolder, "native") }: PrebuiltOptions = {},
): boolean {
  return fits(record, factsFor(libtorch, machine, nativeDir));
}

/** Makes the prebuilt code the build in use, for `libtorch`; undefined where it does not serve. */
export function takePrebuilt(
  prebuilt: Prebuilt,
  libtorch: Libtorch,
  machine: Machine,
  options: PrebuiltOptions = {},
): BuildResult | undefined {
  if (!serves(prebuilt, libtorch, machine, options)) return undefined;
  const { outputDir = buildFolder } = options;
  const { folder: from, record } = prebuilt;
  const place = createHash("sha256")
    .update(JSON.stringify([libtorch.root, "prebuilt"]))
    .digest("hex")
    .slice(0, 10);
  const folder = join(outputDir, `${libtorch.version}-${place}`);
  placeBuild(from, folder, record);
  linkLibtorch(folder, libtorch.libDir);
  const pathOf = (name: string): string | undefined =>
    name in record.libraries ? join(folder, name) : undefined;
  const { addon, ops } = libraryNames(machine.platform);
  const current = currentBuildOf(libtorch, { addon: pathOf(addon), ops: pathOf(ops) });
  writeCurrentBuild(current, outputDir);
  return { current, folder, compiled: [], linked: [] };
}

/** What {@link packPrebuilt} has written. */
export interface PackedPrebuilt {
  /** The package's name. */
  readonly name: string;
  readonly platform: string;
  /** The version of the libtorch that it is for. */
  readonly libtorch: string;
  readonly files: readonly string[];
  /** Why process groups are not among them; undefined where they are. */
  readonly withoutGroups: string | undefined;
}

/**
 * Writes the build in use into `folder` as a package per platform holds it.
 *
 * @throws {SetupError} where the build in use is not for the libtorch that set-up fetches, which users will have.
 */
export function packPrebuilt(folder: string, machine: Machine = thisMachine()): PackedPrebuilt {
  const current = readCurrentBuild();
  const { version, cuda } = current?.libtorch ?? {};
  if (current?.addon === undefined || current.ops === undefined || version !== FETCHED_VERSION || cuda) {
    throw new SetupError(`the build in use is not for libtorch ${FETCHED_VERSION} without CUDA`, {
      hint: `run ${setupCommand("--fetch")} without LIBTORCH and LIBTORCH_USE_PYTORCH`,
    });
  }
  const { root, origin, lib } = current.libtorch;
  const place = { root, include: current.headers[0] ?? join(root, "include"), lib };
  const libtorch = describeLibtorch(place, origin, machine.platform);
  const native = join(packageFolder, "native");
  const facts = factsFor(libtorch, machine, native);
  const names = Object.values(libraryNames(machine.platform));
  packBuild(dirname(current.addon), folder, names, facts);
  const groups = readDistributedBuild();
  const { library } = groups?.lib === lib ? groups : {};
  if (library !== undefined) {
    const own = factsFor(libtorch, machine, join(native, DISTRIBUTED_FOLDER));
    packBuild(dirname(library), join(folder, DISTRIBUTED_FOLDER), [basename(library)], own);
  }
  return {
    name: prebuiltPackage(facts.platform),
    platform: facts.platform,
    libtorch: version,
    files: [...names, RECORD, ...(library === undefined ? [] : [DISTRIBUTED_FOLDER])],
    withoutGroups: library === undefined ? (groups?.reason ?? "set-up has not built them") : undefined,
  };
}

function packBuild(from: string, to: string, names: readonly string[], facts: BuildFacts): void {
  const key = createHash("sha256").update(JSON.stringify(facts));
  for (const name of names) key.update(readFileSync(join(from, name)));
  writeBuild(from, to, names, { ...facts, key: key.digest("hex") });
}
