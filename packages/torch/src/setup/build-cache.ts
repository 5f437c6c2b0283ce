// Finished builds in the user's cache, named by all that they were made of, so that a second clone of the same sources
// takes what the first has built. Only a folder that has no objects yet asks for them.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { draftOf, isDraft, removeDrafts } from "../files/atomic.ts";
import { cacheFolder, type Machine } from "../machine.ts";
import { type BuildFacts, readWholeBuild, writeBuild } from "./build-record.ts";
import { nodeApiHeaders, sourcesOf, type Unit } from "./units.ts";

/** Builds that are kept, the newest, process groups apart from the rest; each takes a few megabytes. */
const KEPT = 16;

/**
 * What a build is made of, as one hash: its facts, the commands, and `identity` (compiler and libtorch). Where the sources
 * lie does not enter.
 */
export function buildKey(
  units: readonly Unit[],
  nativeDir: string,
  facts: BuildFacts,
  identity: unknown,
): string {
  const hash = createHash("sha256");
  const add = (value: unknown): void => {
    const text = JSON.stringify(value).replaceAll(nodeApiHeaders, "node-api-headers");
    hash.update(`${text.replaceAll(nativeDir, "native")}\n`);
  };
  add([identity, facts]);
  for (const unit of units) {
    add([unit.name, unit.output, unit.link, sourcesOf(unit).map((source) => [source, unit.compile(source)])]);
  }
  return hash.digest("hex");
}

/** Whether `folder` holds a build that was taken from the cache for this key. */
export function holdsCachedBuild(folder: string, key: string): boolean {
  return readWholeBuild(folder)?.key === key;
}

/** Puts the build for `key` into `folder`, which must not exist yet; false where the cache has none. */
export function takeCachedBuild(machine: Machine, key: string, folder: string): boolean {
  const from = join(buildsFolder(machine), key);
  const record = readWholeBuild(from);
  if (record?.key !== key || existsSync(folder)) return false;
  const draft = draftOf(folder);
  try {
    writeBuild(from, draft, Object.keys(record.libraries), record);
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
export function keepBuild(
  machine: Machine,
  facts: BuildFacts & { readonly key: string },
  libraries: readonly string[],
): void {
  const parent = buildsFolder(machine);
  const target = join(parent, facts.key);
  if (libraries.length === 0 || readWholeBuild(target)?.key === facts.key) return;
  const draft = draftOf(target);
  try {
    writeBuild(
      dirname(libraries[0]!),
      draft,
      libraries.map((path) => basename(path)),
      facts,
    );
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

function removeOld(parent: string): void {
  const age = (name: string): number => statSync(join(parent, name)).mtimeMs;
  removeDrafts(parent);
  const builds = readdirSync(parent).filter((name) => !isDraft(name));
  const old = builds.sort((a, b) => age(b) - age(a)).slice(KEPT);
  for (const name of old) rmSync(join(parent, name), { recursive: true, force: true });
}
