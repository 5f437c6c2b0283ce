// What a finished build is, wherever it lies: two libraries and a record of what they were made of. Builds of this machine
// that the cache keeps have it, and those that come prebuilt in packages. The libraries look for libtorch in the folder
// `libtorch` beside them, a link, so that the same files serve wherever libtorch lies.
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { join, sep } from "node:path";
import { draftOf, makeFolder, replaceFile } from "../files/atomic.ts";
import type { Machine } from "../machine.ts";
import type { Libtorch } from "./libtorch.ts";
import { platformOf } from "./wheel.ts";

/** The name of a record beside its libraries. */
export const RECORD = "build.json";

/** The link beside a build's libraries that leads to those of its libtorch. */
export const LIBTORCH_LINK = "libtorch";

/**
 * The folder of process groups, which ./distributed.ts builds and records by itself: of their sources, of their builds, and
 * in a package with prebuilt code.
 */
export const DISTRIBUTED_FOLDER = "distributed";

/** What decides whether a build serves a machine and a libtorch. */
export interface BuildFacts {
  /** SHA-256 over the native sources; see {@link sourcesHash}. */
  readonly sources: string;
  /** Such as `linux-x64`. */
  readonly platform: string;
  readonly libtorch: Pick<Libtorch, "version" | "cxx11Abi" | "cuda">;
}

export interface BuildRecord extends BuildFacts {
  /** SHA-256 over all that the build was made of, its compiler too: what the cache knows it by. */
  readonly key: string;
  /** SHA-256 of each library, by its name. */
  readonly libraries: Readonly<Record<string, string>>;
}

/** What a build for `libtorch` from the sources in `nativeDir` must be. */
export function factsFor(libtorch: Libtorch, machine: Machine, nativeDir: string): BuildFacts {
  const { version, cxx11Abi, cuda } = libtorch;
  return {
    sources: sourcesHash(nativeDir),
    platform: platformOf(machine),
    libtorch: { version, cxx11Abi, cuda },
  };
}

/** Whether a build of these facts serves where `wanted` is asked for. */
export function fits({ sources, platform, libtorch }: BuildFacts, wanted: BuildFacts): boolean {
  return (
    sources === wanted.sources &&
    platform === wanted.platform &&
    libtorch.version === wanted.libtorch.version &&
    libtorch.cxx11Abi === wanted.libtorch.cxx11Abi &&
    libtorch.cuda === wanted.libtorch.cuda
  );
}

/** SHA-256 over every file below `nativeDir`, its path and content, but for those of a library that is built apart. */
export function sourcesHash(nativeDir: string): string {
  const hash = createHash("sha256");
  const names = existsSync(nativeDir) ? readdirSync(nativeDir, { recursive: true, encoding: "utf8" }) : [];
  for (const name of names.sort()) {
    const path = join(nativeDir, name);
    if (statSync(path).isFile() && name.split(sep)[0] !== DISTRIBUTED_FOLDER)
      hash.update(`${name.split(sep).join("/")} ${hashOf(path)}\n`);
  }
  return hash.digest("hex");
}

/** The record in `folder`, if that holds all that it names, unchanged; undefined otherwise. */
export function readWholeBuild(folder: string): BuildRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folder, RECORD), "utf8")) as BuildRecord;
    const isWhole = Object.entries(record.libraries).every(
      ([name, hash]) => hashOf(join(folder, name)) === hash,
    );
    return isWhole ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the libraries of `from` that are named, and their record, into the folder `to`. */
export function writeBuild(
  from: string,
  to: string,
  names: readonly string[],
  facts: BuildFacts & { readonly key: string },
): BuildRecord {
  const libraries = Object.fromEntries(names.map((name) => [name, hashOf(join(from, name))]));
  const record: BuildRecord = { ...facts, libraries };
  makeFolder(to);
  for (const name of names) copyFileSync(join(from, name), join(to, name));
  replaceFile(join(to, RECORD), `${JSON.stringify(record, null, 2)}\n`);
  return record;
}

/** Makes `folder` the build that lies in `from`, whole at every moment; nothing is done where it is that already. */
export function placeBuild(from: string, folder: string, record: BuildRecord): void {
  if (readWholeBuild(folder)?.key === record.key) return;
  const draft = draftOf(folder);
  try {
    writeBuild(from, draft, Object.keys(record.libraries), record);
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } catch (error) {
    // Another process may have been first.
    if (readWholeBuild(folder)?.key !== record.key) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Makes the libraries in `folder` find libtorch in `libDir`. */
export function linkLibtorch(folder: string, libDir: string): void {
  const draft = draftOf(join(folder, LIBTORCH_LINK));
  try {
    symlinkSync(libDir, draft, "dir");
    renameSync(draft, join(folder, LIBTORCH_LINK));
  } finally {
    rmSync(draft, { force: true });
  }
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
