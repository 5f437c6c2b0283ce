// A dataset of the Hugging Face hub: listed and downloaded by @huggingface/hub, kept in the cache, and read from
// there where the hub is out of reach.
import type { ReadableStream } from "node:stream/web";
import { datasetInfo, downloadFile, HubApiError, listFiles } from "@huggingface/hub";
import type { DataFile } from "../containers/bytes.ts";
import { DataError, messageOf } from "../data-error.ts";
import { readBoundedText } from "./bounded-text.ts";
import type { DatasetFolder } from "./choose-files.ts";
import { HubCache, type HubFile } from "./hub-cache.ts";
import type { HubSettings } from "./hub-settings.ts";
import { listFolder } from "./local-folder.ts";

export interface HubDataset extends DatasetFolder {
  /** Downloads what isn't in the cache. */
  fetch(paths: readonly string[]): Promise<DataFile[]>;
}

/** A commit's files, and whether the hub itself was asked. */
interface Listing {
  readonly commit: string;
  readonly files: readonly HubFile[];
  readonly online: boolean;
}

/** Opens a dataset. `note` is told where a cached copy is read because the hub is out of reach. */
export async function openHubDataset(
  id: string,
  revision: string,
  settings: HubSettings,
  note: (text: string) => void,
): Promise<HubDataset> {
  const cache = new HubCache(settings.cacheDir, id);
  const listing = settings.offline
    ? await cachedListing(cache, id, revision, "HF_HUB_OFFLINE is set")
    : await onlineListing(cache, id, revision, settings).catch(async (error: unknown) => {
        if (!isNetworkError(error)) throw hubError(error, id);
        const cause = `the hub can't be reached (${networkMessage(error)})`;
        const cached = await cachedListing(cache, id, revision, cause);
        note(`${id}: ${cause}; the copy in ${cache.folder} is read.`);
        return cached;
      });

  const ensure = async (path: string): Promise<string> => {
    const file = listing.files.find((candidate) => candidate.path === path)!;
    if (!(await cache.has(listing.commit, path))) {
      if (!listing.online) throw notCached(id, `its file ${path}`, cache, "without the hub");
      await download(cache, id, listing.commit, file, settings);
    }
    return cache.snapshot(listing.commit, path);
  };

  return {
    name: id,
    paths: listing.files.map(({ path }) => path).sort(),
    readText: async (path) => readBoundedText(await ensure(path), `${id}/${path}`),
    fetch: async (paths) => {
      const files: DataFile[] = [];
      for (const path of paths) files.push({ path: await ensure(path), name: `${id}/${path}` });
      return files;
    },
  };
}

/** What every call to the hub is given. */
function access({ endpoint, token }: HubSettings): { hubUrl?: string; accessToken?: string } {
  return {
    ...(endpoint === undefined ? {} : { hubUrl: endpoint }),
    ...(token === undefined ? {} : { accessToken: token }),
  };
}

async function onlineListing(
  cache: HubCache,
  id: string,
  revision: string,
  settings: HubSettings,
): Promise<Listing> {
  const { sha: commit } = await datasetInfo({
    name: id,
    revision,
    additionalFields: ["sha"],
    ...access(settings),
  });
  const repo = { type: "dataset", name: id } as const;
  const files: HubFile[] = [];
  for await (const entry of listFiles({ repo, recursive: true, revision: commit, ...access(settings) })) {
    if (entry.type !== "file" || !isSafePath(entry.path)) continue;
    const etag = entry.lfs?.oid ?? entry.oid;
    if (etag === undefined || !/^[0-9a-f]+$/.test(etag)) continue;
    files.push({ path: entry.path, size: entry.size, etag, isSha256: entry.lfs !== undefined });
  }
  await cache.writeListing(commit, files);
  await cache.writeRef(revision, commit);
  return { commit, files, online: true };
}

/** Paths come from the dataset's author and are joined to the cache folder: none may lead out of it. */
function isSafePath(path: string): boolean {
  return !path.startsWith("/") && !path.includes("\\") && !path.split("/").includes("..");
}

async function cachedListing(cache: HubCache, id: string, revision: string, cause: string): Promise<Listing> {
  const commit = await cache.commitOf(revision);
  if (commit === undefined || !(await cache.has(commit))) {
    throw notCached(id, revision === "main" ? "the dataset" : `its revision ${revision}`, cache, cause);
  }
  // A cache that Python wrote has no listing; then what is there is all that is known.
  const files =
    (await cache.readListing(commit)) ??
    (await listFolder(cache.snapshot(commit))).map((path) => ({ path, size: 0, etag: "", isSha256: false }));
  return { commit, files, online: false };
}

function notCached(id: string, what: string, cache: HubCache, cause: string): DataError {
  return new DataError("hub-offline", `${what} isn't in the cache, and ${cause}`, {
    file: id,
    hint:
      `Run once with the hub in reach, or on such a machine: hf download ${id} --repo-type dataset, ` +
      `then copy the folder to ${cache.folder}. A folder of its files works too: give its path.`,
  });
}

async function download(
  cache: HubCache,
  id: string,
  commit: string,
  file: HubFile,
  settings: HubSettings,
): Promise<void> {
  const repo = { type: "dataset", name: id } as const;
  const open = async (offset: number): Promise<ReadableStream<Uint8Array>> => {
    const blob = await downloadFile({ repo, path: file.path, revision: commit, ...access(settings) });
    if (blob === null) throw new Error("the hub lists the file, but doesn't have it");
    return (offset > 0 ? blob.slice(offset) : blob).stream() as ReadableStream<Uint8Array>;
  };
  try {
    await cache.store(commit, file, open, (loaded) =>
      settings.onProgress?.({ file: file.path, loaded, total: file.size }),
    );
  } catch (cause) {
    if (cause instanceof HubApiError) throw hubError(cause, id);
    const message = isNetworkError(cause) ? networkMessage(cause) : messageOf(cause);
    throw new DataError("hub-download", `the download failed: ${message}`, {
      file: `${id}/${file.path}`,
      hint: "Run it again: what is here already is kept.",
      cause,
    });
  }
}

function hubError(error: unknown, id: string): DataError {
  if (!(error instanceof HubApiError)) {
    return new DataError("hub-unreachable", `the hub's answer can't be used: ${messageOf(error)}`, {
      file: id,
      cause: error,
    });
  }
  const { statusCode, message } = error;
  if (statusCode === 404 || statusCode === 401) {
    return new DataError("hub-not-found", `no such file, and no such dataset on the hub: ${message}`, {
      file: id,
      hint: "Check the name and the revision; for a private dataset, set HF_TOKEN.",
      cause: error,
    });
  }
  if (statusCode === 403) {
    return new DataError("hub-access", `the hub refuses the dataset: ${message}`, {
      file: id,
      hint: "Accept its terms on its page, then set HF_TOKEN.",
      cause: error,
    });
  }
  return new DataError("hub-unreachable", `the hub answers with an error: ${message}`, {
    file: id,
    hint: "Try again later, or set HF_HUB_OFFLINE=1 to read the cache.",
    cause: error,
  });
}

/** What fetch throws where there is no network, no host or a broken connection. */
function isNetworkError(error: unknown): boolean {
  return error instanceof TypeError && /fetch failed|terminated|network/i.test(error.message);
}

function networkMessage(error: unknown): string {
  const cause = (error as Error).cause;
  return cause instanceof Error && cause.message !== "" ? cause.message : messageOf(error);
}
