// Finished builds in the user's cache, named by all that they were made of, so that a second clone of the same sources
// takes what the first has built. Only a folder that has no objects yet asks for them.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { draftOf, isDraft, makeFolder, removeDrafts, replaceFile } from "../files/atomic.ts";
import { cacheFolder, type Machine } from "../machine.ts";
import { nodeApiHeaders, sourcesOf, type Unit } from "./units.ts";

/** Builds that are kept, the newest; each takes a few megabytes. */
const KEPT = 8;

const RECORD = "cached-build.json";

interface CachedBuild {
  readonly key: string;
  /** SHA-256 of each library, by its name. */
  readonly libraries: Readonly<Record<string, string>>;
}

/**
 * What a build is made of, as one hash: every file in the units' folders, the commands, and `identity` (compiler and
 * libtorch). Where the sources lie does not enter.
 */
export function buildKey(units: readonly Unit[], nativeDir: string, identity: unknown): string {
  const hash = createHash("sha256");
  const add = (value: unknown): void => {
    const text = JSON.stringify(value).replaceAll(nodeApiHeaders, "node-api-headers");
    hash.update(`${text.replaceAll(nativeDir, "native")}\n`);
  };
  add(identity);
  for (const unit of units) {
    add([unit.name, unit.output, unit.link, sourcesOf(unit).map((source) => [source, unit.compile(source)])]);
    if (!existsSync(unit.sourceDir)) continue;
    const names = readdirSync(unit.sourceDir, { recursive: true, encoding: "utf8" });
    for (const name of names.sort()) {
      const path = join(unit.sourceDir, name);
      if (statSync(path).isFile()) add([name.split(sep).join("/"), hashOf(path)]);
    }
  }
  return hash.digest("hex");
}

/** Whether `folder` holds a build that was taken from the cache for this key. */
export function holdsCachedBuild(folder: string, key: string): boolean {
  const record = readRecord(folder);
  return record?.key === key && isWhole(folder, record);
}

/** Puts the build for `key` into `folder`, which must not exist yet; false where the cache has none. */
export function takeCachedBuild(machine: Machine, key: string, folder: string): boolean {
  const from = join(buildsFolder(machine), key);
  const record = readRecord(from);
  if (record?.key !== key || !isWhole(from, record) || existsSync(folder)) return false;
  const draft = draftOf(folder);
  try {
    copyBuild(from, draft, record);
    renameSync(draft, folder);
    return true;
  } catch {
    // Another set-up was first, or the disk is full: then this one builds.
    return false;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Keeps a build's libraries for other clones. A cache that cannot be written costs only time. */
export function keepBuild(machine: Machine, key: string, libraries: readonly string[]): void {
  const parent = buildsFolder(machine);
  const target = join(parent, key);
  if (libraries.length === 0 || readRecord(target)?.key === key) return;
  const draft = draftOf(target);
  try {
    const folder = dirname(libraries[0]!);
    const names = libraries.map((path) => path.slice(folder.length + 1));
    const record = {
      key,
      libraries: Object.fromEntries(names.map((name) => [name, hashOf(join(folder, name))])),
    };
    copyBuild(folder, draft, record);
    rmSync(target, { recursive: true, force: true });
    renameSync(draft, target);
    removeOld(parent);
  } catch {
    // The next clone builds for itself.
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function buildsFolder(machine: Machine): string {
  return join(cacheFolder(machine), "native");
}

function copyBuild(from: string, to: string, record: CachedBuild): void {
  makeFolder(to);
  for (const name of Object.keys(record.libraries)) copyFileSync(join(from, name), join(to, name));
  replaceFile(join(to, RECORD), `${JSON.stringify(record, null, 2)}\n`);
}

function readRecord(folder: string): CachedBuild | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, RECORD), "utf8")) as CachedBuild;
  } catch {
    return undefined;
  }
}

function isWhole(folder: string, { libraries }: CachedBuild): boolean {
  return Object.entries(libraries).every(
    ([name, hash]) => existsSync(join(folder, name)) && hashOf(join(folder, name)) === hash,
  );
}

function removeOld(parent: string): void {
  const age = (name: string): number => statSync(join(parent, name)).mtimeMs;
  removeDrafts(parent);
  const builds = readdirSync(parent).filter((name) => !isDraft(name));
  const old = builds.sort((a, b) => age(b) - age(a)).slice(KEPT);
  for (const name of old) rmSync(join(parent, name), { recursive: true, force: true });
}

function hashOf(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}
