// A folder's files into a model's repository of the hub, in one commit. Large files go into large file storage first, so
// that what has arrived there isn't sent again after an upload that broke off; files that are there already are left out.
import { createReadStream, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { commitIter, createRepo, HubApiError, listFiles } from "@huggingface/hub";
import { contentHash } from "./cache.ts";
import { HubError } from "./errors.ts";
import { hubAccess, isNetworkError, networkMessage } from "./repository.ts";
import type { HubSettings } from "./settings.ts";

/** A file to push: one on disk, or a text. */
export interface PushFile {
  /** In the repository. */
  readonly path: string;
  readonly content: { readonly file: string } | { readonly text: string };
}

export interface PushPlan {
  /** Whether there is such a repository already. */
  readonly exists: boolean;
  readonly send: readonly SizedFile[];
  /** There already, with the same content. */
  readonly same: readonly SizedFile[];
}

export interface SizedFile extends PushFile {
  /** Bytes. */
  readonly size: number;
}

export interface PushOptions {
  readonly isPrivate: boolean;
  /** The commit's subject. */
  readonly title: string;
  /** The share of a file that has been sent, from 0 to 1. */
  readonly onProgress?: (path: string, share: number) => void;
}

export interface Pushed extends PushPlan {
  readonly url: string;
  /** Undefined where there was nothing to send. */
  readonly commit: string | undefined;
}

/** The settings of whoever may write. @throws {HubError} without a token, and offline */
export function writingSettings(settings: HubSettings, id: string): HubSettings & { readonly token: string } {
  const { token, offline } = settings;
  if (offline)
    throw new HubError("hub-offline", "nothing is pushed, as HF_HUB_OFFLINE is set", {
      file: id,
      hint: "Leave out --offline, and unset HF_HUB_OFFLINE.",
    });
  if (token === undefined)
    throw new HubError("hub-access", "writing to the hub takes a token, and there is none", {
      file: id,
      hint: "Set HF_TOKEN to a token that may write, or run hf auth login.",
    });
  return { ...settings, token };
}

/**
 * What a push would send.
 * @throws {HubError} where the hub can't be asked or refuses
 */
export async function planPush(
  id: string,
  files: readonly PushFile[],
  settings: HubSettings,
): Promise<PushPlan> {
  const there = await guarded(id, () => listed(id, settings));
  const sized = files.map((file) => ({ ...file, size: sizeOf(file) }));
  const send: SizedFile[] = [];
  const same: SizedFile[] = [];
  for (const file of sized) {
    const entry = there?.get(file.path);
    const isSame =
      entry !== undefined && entry.size === file.size && (await hashOf(file, entry)) === entry.hash;
    (isSame ? same : send).push(file);
  }
  return { exists: there !== undefined, send, same };
}

/**
 * Makes the repository where there is none, and commits what differs there.
 * @throws {HubError} where the hub refuses or an upload breaks off
 */
export async function pushFiles(
  id: string,
  files: readonly PushFile[],
  given: HubSettings,
  { isPrivate, title, onProgress }: PushOptions,
): Promise<Pushed> {
  const settings = writingSettings(given, id);
  const plan = await planPush(id, files, settings);
  const access = { ...hubAccess(settings), accessToken: settings.token };
  const url = `${settings.endpoint ?? "https://huggingface.co"}/${id}`;
  const repo = { type: "model", name: id } as const;
  if (!plan.exists)
    await guarded(id, () =>
      createRepo({ repo, visibility: isPrivate ? "private" : "public", ...access }).catch(
        (error: unknown) => {
          // Made meanwhile, or hidden from this token until now.
          if (!(error instanceof HubApiError && error.statusCode === 409)) throw error;
        },
      ),
    );
  if (plan.send.length === 0) return { ...plan, url, commit: undefined };
  const operations = plan.send.map(({ path, content }) => ({
    ...{ operation: "addOrUpdate" as const, path },
    content: "file" in content ? pathToFileURL(content.file) : new Blob([content.text]),
  }));
  const commit = await guarded(id, async () => {
    const events = commitIter({ repo, operations, title, branch: "main", useXet: false, ...access });
    for (;;) {
      const { done, value } = await events.next();
      if (done) return value?.commit.oid;
      if (value.event === "fileProgress" && value.state === "uploading")
        onProgress?.(value.path, value.progress);
    }
  });
  return { ...plan, url, commit };
}

interface Listed {
  readonly size: number;
  readonly hash: string;
  readonly isSha256: boolean;
}

/** The repository's files; undefined where there is none. */
async function listed(id: string, settings: HubSettings): Promise<ReadonlyMap<string, Listed> | undefined> {
  const found = new Map<string, Listed>();
  const repo = { type: "model", name: id } as const;
  try {
    for await (const entry of listFiles({ repo, recursive: true, ...hubAccess(settings) })) {
      const { path, size, oid = "", lfs } = entry;
      if (entry.type === "file")
        found.set(path, { size, hash: lfs?.oid ?? oid, isSha256: lfs !== undefined });
    }
  } catch (error) {
    if (error instanceof HubApiError && error.statusCode === 404) return undefined;
    throw error;
  }
  return found;
}

function sizeOf({ content }: PushFile): number {
  return "file" in content ? statSync(content.file).size : Buffer.byteLength(content.text);
}

async function hashOf({ content, size }: SizedFile, { isSha256 }: Listed): Promise<string> {
  const hash = contentHash(isSha256, size);
  if ("text" in content) return hash.update(content.text).digest("hex");
  await pipeline(createReadStream(content.file), hash);
  return hash.digest("hex");
}

async function guarded<T>(id: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw error instanceof HubError ? error : pushError(error, id);
  }
}

const AGAIN = "Run it again: what has arrived is not sent again.";

function pushError(cause: unknown, file: string): HubError {
  const status = cause instanceof HubApiError ? cause.statusCode : undefined;
  const message = networkMessage(cause);
  if (status === 401)
    return new HubError("hub-access", `the hub doesn't accept the token: ${message}`, {
      ...{ file, cause },
      hint: "Set HF_TOKEN to a token of your account that may write.",
    });
  if (status === 403 || status === 404)
    return new HubError("hub-access", `the hub refuses to be written to: ${message}`, {
      ...{ file, cause },
      hint: `Is ${file.split("/")[0]} your account or an organization of yours, and may the token write?`,
    });
  if (isNetworkError(cause))
    return new HubError("hub-unreachable", `the hub can't be reached: ${message}`, {
      file,
      cause,
      hint: AGAIN,
    });
  return new HubError("hub-upload", `the upload failed: ${message}`, { file, cause, hint: AGAIN });
}
