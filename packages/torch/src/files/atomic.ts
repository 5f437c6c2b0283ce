// Files and folders that appear whole: written as a draft beside their place, flushed, then renamed. A reader sees the
// old content or the new content, never a part of it, whoever else writes the same path.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { isTagRunning, processTag } from "./process.ts";

export type FileContent = string | Uint8Array;

const DRAFT = /^\..+\.[0-9a-f]{12}\.draft$/;

/** A name beside `path` that nobody else uses, to be written and then renamed to `path`; see {@link removeDrafts}. */
export function draftOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.draft`);
}

/** Whether a file's name is that of a draft. */
export function isDraft(name: string): boolean {
  return DRAFT.test(basename(name));
}

/** Seconds after which a draft that nobody touched was left by a process that died. */
const ABANDONED_SECONDS = 24 * 60 * 60;

/**
 * Removes drafts that dead processes left in a folder.
 * @param olderThan seconds since the last write; 0 removes all, for a folder that the caller has locked
 * @param which those of some names alone; all where left out
 */
export function removeDrafts(
  folder: string,
  olderThan: number = ABANDONED_SECONDS,
  which: (name: string) => boolean = () => true,
): void {
  for (const name of readdirSync(folder)) {
    if (!isDraft(name) || !which(name)) continue;
    const path = join(folder, name);
    const written = statOf(path)?.mtimeMs;
    if (written !== undefined && (Date.now() - written) / 1000 >= olderThan)
      rmSync(path, { recursive: true, force: true });
  }
}

/**
 * Makes a folder and those above it. Unlike Node's own recursive way it ends where a file system refuses new folders by
 * saying that there is no such place, as /proc does.
 * @throws {Error} the system's
 */
export function makeFolder(path: string): void {
  const missing: string[] = [];
  for (let place = resolve(path); statOf(place) === undefined; ) {
    missing.push(place);
    place = dirname(place);
  }
  // A file at the place itself, or above it, is refused by the system.
  if (missing.length === 0 && !statSync(path).isDirectory()) mkdirSync(path);
  for (const place of missing.reverse()) {
    try {
      mkdirSync(place);
    } catch (error) {
      // Another process made it meanwhile.
      if (statOf(place)?.isDirectory() !== true) throw error;
    }
  }
}

/**
 * Writes a file in place of what is there. A symbolic link stays and its target is replaced; a device or a pipe is
 * written to directly.
 * @param content the content, or a function that writes it to the open file
 * @throws {Error} the system's; what was at `path` is intact then
 */
export function replaceFile(path: string, content: FileContent | ((file: number) => void)): void {
  const write = typeof content === "function" ? content : (file: number) => writeFileSync(file, content);
  const before = statOf(path);
  if (before !== undefined && !before.isFile() && !before.isDirectory()) {
    withFile(path, "w", write);
    return;
  }
  const target = targetOf(path);
  const draft = draftOf(target);
  try {
    withFile(draft, "wx", (file) => {
      write(file);
      fsyncSync(file);
    });
    if (before !== undefined) chmodSync(draft, before.mode);
    putInPlace(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/**
 * As {@link replaceFile}, for writers that take a path and their time.
 * @param write fills the draft, and flushes it where its content must survive a power cut
 */
export async function replaceFileWith(path: string, write: (draft: string) => Promise<void>): Promise<void> {
  const target = targetOf(path);
  const draft = draftOf(target);
  try {
    await write(draft);
    putInPlace(draft, target);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

const ASIDE = /^\.(?<name>.+)\.aside-(?<tag>[^.]*)\.[0-9a-f]{12}\.draft$/;

/** Where a folder stands while it is replaced; the name says of which process. */
function asideOf(path: string): string {
  return draftOf(`${path}.aside-${processTag()}`);
}

/**
 * Puts folders back that a process had moved aside when it died, between the two renames of {@link replaceFolder}.
 * @param isDead by the tag of the process; as this machine sees it where left out
 */
export function restoreFolders(
  parent: string,
  isDead: (tag: string) => boolean = (tag) => isTagRunning(tag) === false,
): void {
  if (statOf(parent)?.isDirectory() !== true) return;
  for (const entry of readdirSync(parent)) {
    const { name, tag } = ASIDE.exec(entry)?.groups ?? {};
    if (name === undefined || statOf(join(parent, name)) !== undefined || !isDead(tag!)) continue;
    putInPlace(join(parent, entry), join(parent, name));
  }
}

/**
 * Writes a folder in place of one that is there, which is moved aside until the new one stands.
 * @param write fills the draft folder; where it throws, the old folder is intact
 */
export function replaceFolder(path: string, write: (draft: string) => void): void {
  restoreFolders(dirname(path));
  const target = targetOf(path);
  const draft = draftOf(target);
  const aside = asideOf(target);
  mkdirSync(draft);
  try {
    write(draft);
    for (const name of readdirSync(draft)) flush(join(draft, name));
    const stood = statOf(target) !== undefined;
    if (stood) renameSync(target, aside);
    try {
      putInPlace(draft, target);
    } catch (error) {
      if (stood) renameSync(aside, target);
      throw error;
    }
    rmSync(aside, { recursive: true, force: true });
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    throw error;
  }
}

/** Renames a finished draft to its place, for drafts that other programs wrote. */
export function putInPlace(draft: string, path: string): void {
  renameSync(draft, path);
  flush(dirname(path));
}

/** Makes what was written to a file or a folder survive a power cut. */
export function flush(path: string): void {
  try {
    withFile(path, "r", fsyncSync);
  } catch (error) {
    // Windows opens no folders; some network file systems flush none.
    const { code } = error as NodeJS.ErrnoException;
    if (!["EISDIR", "EPERM", "EINVAL", "EACCES", "ENOTSUP"].includes(code ?? "")) throw error;
  }
}

/** What is at a path, links followed; undefined where nothing is, a file standing in the way included. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

function withFile(path: string, flags: string, use: (file: number) => void): void {
  const file = openSync(path, flags);
  try {
    use(file);
  } finally {
    closeSync(file);
  }
}

/** Where a path leads; the path itself where nothing is there. */
function targetOf(path: string): string {
  return statOf(path) === undefined ? path : realpathSync(path);
}
