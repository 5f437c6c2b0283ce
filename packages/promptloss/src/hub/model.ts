// A model or an adapter of the hub: how it is named, and which of its files are needed.
import { readFile } from "node:fs/promises";
import { CONFIG_FILES, TEXT_FILES } from "../model-files.ts";
import { HubError } from "./errors.ts";
import type { HubRepository } from "./repository.ts";
import { isHubId } from "./settings.ts";

/** `tokenizer` for the configs and texts alone. */
export type ModelNeed = "model" | "tokenizer";

export interface HubModelName {
  /** `owner/name`. */
  readonly id: string;
  /** A branch, a tag or a commit; `main` where none is named. */
  readonly revision: string;
  /** A GGUF file of the repository, which may have many; undefined for a model's folder. */
  readonly file?: string;
}

const INDEX = "model.safetensors.index.json";

/** Bytes of an index of shards; those of the largest models have about a million. */
const MOST_INDEX_BYTES = 64 << 20;

/**
 * `owner/name`, or `owner/name/FILE.gguf` for one of a repository's GGUF files, with `@revision` behind it for another
 * than `main`; undefined for what can be none of these.
 */
export function hubModelName(text: string): HubModelName | undefined {
  const [, id = "", file, revision = "main"] =
    /^([^/@]+\/[^/@]+)(?:\/([^@]+\.gguf))?(?:@(\w[\w./-]*))?$/i.exec(text) ?? [];
  if (!isHubId(id) || [file, revision].some((part) => part?.split("/").includes(".."))) return undefined;
  return { id, revision, ...(file !== undefined && { file }) };
}

/** The model of the hub that a folder of Hugging Face's cache holds, with its commit; undefined for any other folder. */
export function hubModelOf(folder: string): HubModelName | undefined {
  const [, owner, name, revision] =
    /[\\/]models--([\w.-]+?)--([\w.-]+)[\\/]snapshots[\\/]([0-9a-f]{40})[\\/]?$/.exec(folder) ?? [];
  return revision === undefined ? undefined : { id: `${owner}/${name}`, revision };
}

/**
 * Downloads what is needed of a model and isn't here yet.
 * @param file a GGUF file, where one is asked for
 * @returns the folder where it lies, or the file
 * @throws {HubError} for a repository without weights that can be read, and where a download fails
 */
export async function fetchModelFiles(
  repository: HubRepository,
  need: ModelNeed,
  file?: string,
): Promise<string> {
  const paths = new Set(repository.files.map(({ path }) => path));
  if (file !== undefined) {
    if (paths.has(file)) return repository.file(file);
    const there = [...paths].filter((path) => path.endsWith(".gguf"));
    throw new HubError("hub-content", "the repository has no such file", {
      file: `${repository.name.id}/${file}`,
      hint: `Its GGUF files: ${there.join(", ") || "none"}.`,
    });
  }
  for (const path of [...CONFIG_FILES, ...TEXT_FILES]) if (paths.has(path)) await repository.file(path);
  if (need === "model") for (const path of await weightFiles(repository, paths)) await repository.file(path);
  return repository.folder;
}

async function weightFiles(repository: HubRepository, paths: ReadonlySet<string>): Promise<string[]> {
  if (paths.has("model.safetensors")) return ["model.safetensors"];
  if (paths.has(INDEX)) return [INDEX, ...(await shardsOf(repository))];
  if (paths.has("adapter_model.safetensors")) return ["adapter_model.safetensors"];
  throw withoutWeights(repository, [...paths]);
}

async function shardsOf(repository: HubRepository): Promise<string[]> {
  const { id } = repository.name;
  const file = `${id}/${INDEX}`;
  const { size = 0 } = repository.files.find(({ path }) => path === INDEX) ?? {};
  if (size > MOST_INDEX_BYTES)
    throw new HubError("hub-content", `has ${size} bytes, and at most ${MOST_INDEX_BYTES} are read of it`, {
      file,
    });
  let map: unknown;
  try {
    map = (JSON.parse(await readFile(await repository.file(INDEX), "utf8")) as { weight_map?: unknown })
      .weight_map;
  } catch (cause) {
    if (cause instanceof HubError) throw cause;
    throw new HubError("hub-content", `is not JSON: ${(cause as Error).message}`, { file, cause });
  }
  const shards = [...new Set(Object.values(typeof map === "object" && map !== null ? map : {}))];
  const wrong = shards.find((shard) => typeof shard !== "string" || shard.includes(".."));
  if (shards.length === 0 || wrong !== undefined)
    throw new HubError("hub-content", "its weight_map names no files of the repository", { file });
  return (shards as string[]).sort();
}

function withoutWeights({ name: { id } }: HubRepository, paths: readonly string[]): HubError {
  const gguf = paths.find((path) => path.endsWith(".gguf"));
  if (paths.some((path) => /^pytorch_model.*\.bin(\.index\.json)?$|^adapter_model\.bin$/.test(path)))
    return new HubError("hub-content", "it has pickled weights only, and those are not read", {
      file: id,
      hint:
        `with Python: AutoModelForCausalLM.from_pretrained("${id}").save_pretrained("FOLDER"), and its tokenizer too, ` +
        `then give that folder; or name a revision with safetensors: ${id}@REVISION`,
    });
  if (gguf !== undefined)
    return new HubError("hub-content", "it has GGUF files, and which one is meant is not said", {
      file: id,
      hint: `name one: ${id}/${gguf}`,
    });
  return new HubError("hub-content", "the repository has no model.safetensors", {
    file: id,
    hint: `Is it a model's? Its files: ${paths.slice(0, 8).join(", ") || "none"}.`,
  });
}
