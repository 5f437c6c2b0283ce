// A repository of the Hugging Face hub: listed and downloaded by @huggingface/hub, kept in the cache, and read from
// there where the hub is out of reach.
import { readdir } from "node:fs/promises";
import { join, sep } from "node:path";
import type { ReadableStream } from "node:stream/web";
import { datasetInfo, downloadFile, HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { whyNotWritten } from "@promptloss/torch/files";
import { HubCache, type HubFile, type HubKind } from "./cache.ts";
import { HubError } from "./errors.ts";
import type { HubSettings } from "./settings.ts";

export interface HubName {
  readonly kind: HubKind;
  /** `owner/name`. */
  readonly id: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
}

export interface HubRepository {
  readonly name: HubName;
  readonly commit: string;
  /** Of the commit, sorted by path. Of a cache that another program wrote, what is there, with sizes of 0. */
  readonly files: readonly HubFile[];
  /** Where the files that are on this machine lie. */
  readonly folder: string;
  /** Whether a file is on this machine. */
  has(path: string): Promise<boolean>;
  /** A file's place on this machine, to which it is downloaded if it isn't there. @throws {HubError} */
  file(path: string): Promise<string>;
}

/** A commit's files, and whether the hub itself was asked. */
interface Listing {
  readonly commit: string;
  readonly files: readonly HubFile[];
  readonly online: boolean;
}

/**
 * Opens a repository. `note` is told where a cached copy is read because the hub is out of reach.
 * @throws {HubError} for one that isn't there, isn't allowed, or is out of reach and not in the cache
 */
export async function openHubRepository(
  name: HubName,
  settings: HubSettings,
  note: (text: string) => void,
): Promise<HubRepository> {
  const { kind, id, revision } = name;
  const cache = new HubCache(settings.cacheDir, kind, id);
  const listing = settings.offline
    ? await cachedListing(cache, name, "HF_HUB_OFFLINE is set")
    : ((await settledListing(cache, revision)) ??
      (await onlineListing(cache, name, settings).catch(async (error: unknown) => {
        if (!isNetworkError(error)) throw hubError(error, name);
        const cause = `the hub can't be reached (${networkMessage(error)})`;
        const cached = await cachedListing(cache, name, cause);
        note(`${id}: ${cause}; the copy in ${cache.folder} is read.`);
        return cached;
      })));
  const { commit, online } = listing;
  const files = [...listing.files].sort((a, b) => (a.path < b.path ? -1 : 1));
  return {
    name,
    commit,
    files,
    folder: cache.snapshot(commit),
    has: (path) => cache.has(commit, path),
    file: async (path) => {
      const file = files.find((candidate) => candidate.path === path);
      if (!(await cache.has(commit, path))) {
        if (!online || file === undefined)
          throw notCached(name, `its file ${path}`, cache, "without the hub");
        await download(cache, name, commit, file, settings);
      }
      return cache.snapshot(commit, path);
    },
  };
}

/** What every call to the hub is given. */
export function hubAccess({ endpoint, token }: HubSettings): { hubUrl?: string; accessToken?: string } {
  return {
    ...(endpoint === undefined ? {} : { hubUrl: endpoint }),
    ...(token === undefined ? {} : { accessToken: token }),
  };
}

/** A commit never changes, so one that was listed before need not be asked for. */
async function settledListing(cache: HubCache, revision: string): Promise<Listing | undefined> {
  if ((await cache.commitOf(revision)) !== revision) return undefined;
  const files = await cache.readListing(revision);
  return files && { commit: revision, files, online: true };
}

async function onlineListing(
  cache: HubCache,
  { kind, id, revision }: HubName,
  settings: HubSettings,
): Promise<Listing> {
  const asked = { name: id, revision, additionalFields: ["sha" as const], ...hubAccess(settings) };
  const { sha: commit } = kind === "model" ? await modelInfo(asked) : await datasetInfo(asked);
  const repo = { type: kind, name: id };
  const files: HubFile[] = [];
  for await (const entry of listFiles({ repo, recursive: true, revision: commit, ...hubAccess(settings) })) {
    if (entry.type !== "file" || !isSafePath(entry.path)) continue;
    const etag = entry.lfs?.oid ?? entry.oid;
    if (etag === undefined || !/^[0-9a-f]+$/.test(etag)) continue;
    files.push({ path: entry.path, size: entry.size, etag, isSha256: entry.lfs !== undefined });
  }
  await cache.writeListing(commit, files);
  await cache.writeRef(revision, commit);
  return { commit, files, online: true };
}

/** Paths come from the repository's author and are joined to the cache folder: none may lead out of it. */
function isSafePath(path: string): boolean {
  return !path.startsWith("/") && !path.includes("\\") && !path.split("/").includes("..");
}

async function cachedListing(cache: HubCache, name: HubName, cause: string): Promise<Listing> {
  const { kind, revision } = name;
  const commit = await cache.commitOf(revision);
  if (commit === undefined || !(await cache.has(commit))) {
    throw notCached(name, revision === "main" ? `the ${kind}` : `its revision ${revision}`, cache, cause);
  }
  // A cache that Python wrote has no listing; then what is there is all that is known.
  const files =
    (await cache.readListing(commit)) ??
    (await listSnapshot(cache.snapshot(commit))).map((path) => ({
      path,
      size: 0,
      etag: "",
      isSha256: false,
    }));
  return { commit, files, online: false };
}

async function listSnapshot(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, sep).length))
    .map((file) => file.split(sep).join("/"));
}

function notCached({ kind, id, revision }: HubName, what: string, cache: HubCache, cause: string): HubError {
  const options = `${kind === "dataset" ? " --repo-type dataset" : ""}${revision === "main" ? "" : ` --revision ${revision}`}`;
  const isHere = kind === "dataset" ? "" : `there is no such folder, and `;
  return new HubError("hub-offline", `${isHere}${what} isn't in the cache, and ${cause}`, {
    file: id,
    hint:
      `Run once with the hub in reach, or on such a machine: hf download ${id}${options}, ` +
      `then copy the folder to ${cache.folder}. A folder of its files works too: give its path.`,
  });
}

async function download(
  cache: HubCache,
  name: HubName,
  commit: string,
  file: HubFile,
  settings: HubSettings,
): Promise<void> {
  const { kind, id } = name;
  const repo = { type: kind, name: id };
  const open = async (offset: number): Promise<ReadableStream<Uint8Array>> => {
    const blob = await downloadFile({ repo, path: file.path, revision: commit, ...hubAccess(settings) });
    if (blob === null) throw new Error("the hub lists the file, but doesn't have it");
    return (offset > 0 ? blob.slice(offset) : blob).stream() as ReadableStream<Uint8Array>;
  };
  try {
    await cache.store(commit, file, open, (loaded) =>
      settings.onProgress?.({ file: file.path, loaded, total: file.size }),
    );
  } catch (cause) {
    if (cause instanceof HubApiError) throw hubError(cause, name);
    const { reason, hint = "Run it again: what is here already is kept." } = isWriteError(cause)
      ? whyNotWritten(cause)
      : { reason: networkMessage(cause) };
    throw new HubError("hub-download", `the download failed: ${reason}`, {
      file: `${id}/${file.path}`,
      hint,
      cause,
    });
  }
}

/** What the system refused of a file, and not of a connection. */
function isWriteError(error: unknown): boolean {
  const { syscall } = error as NodeJS.ErrnoException;
  return ["open", "write", "rename", "symlink", "mkdir"].includes(syscall ?? "");
}

/** What the hub's refusal means to whoever reads. */
export function hubError(error: unknown, { kind, id, revision }: HubName): HubError {
  const file = revision === "main" ? id : `${id}@${revision}`;
  if (!(error instanceof HubApiError))
    return new HubError("hub-unreachable", `the hub's answer can't be used: ${networkMessage(error)}`, {
      file,
      cause: error,
    });
  const { statusCode, message } = error;
  if (statusCode === 404 || statusCode === 401) {
    const here = kind === "dataset" ? "file" : "folder";
    return new HubError("hub-not-found", `no such ${here}, and no such ${kind} on the hub: ${message}`, {
      file,
      hint: `Check the name and the revision; for a private ${kind}, set HF_TOKEN.`,
      cause: error,
    });
  }
  if (statusCode === 403)
    return new HubError("hub-access", `the hub refuses the ${kind}: ${message}`, {
      file,
      hint: "Accept its terms on its page, then set HF_TOKEN.",
      cause: error,
    });
  return new HubError("hub-unreachable", `the hub answers with an error: ${message}`, {
    file,
    hint: "Try again later, or set HF_HUB_OFFLINE=1 to read the cache.",
    cause: error,
  });
}

/** What fetch throws where there is no network, no host or a broken connection. */
export function isNetworkError(error: unknown): boolean {
  return error instanceof TypeError && /fetch failed|terminated|network/i.test(error.message);
}

export function networkMessage(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return isNetworkError(error) && cause instanceof Error && cause.message !== "" ? cause.message : message;
}
