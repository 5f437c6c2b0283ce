// A dataset of the Hugging Face hub, as a folder whose files are downloaded when they are read.
import type { HubSettings } from "../../../hub/index.ts";
import { openHubRepository } from "../../../hub/repository.ts";
import type { DataFile } from "../containers/bytes.ts";
import { readBoundedText } from "./bounded-text.ts";
import type { DatasetFolder } from "./choose-files.ts";

export interface HubDataset extends DatasetFolder {
  /** Downloads what isn't in the cache. */
  fetch(paths: readonly string[]): Promise<DataFile[]>;
}

/** @throws {HubError} for a dataset that isn't there, isn't allowed, or is out of reach and not in the cache */
export async function openHubDataset(
  id: string,
  revision: string,
  settings: HubSettings,
  note: (text: string) => void,
): Promise<HubDataset> {
  const repository = await openHubRepository({ kind: "dataset", id, revision }, settings, note);
  return {
    name: id,
    paths: repository.files.map(({ path }) => path).filter((path) => !isHidden(path)),
    readText: async (path) => readBoundedText(await repository.file(path), `${id}/${path}`),
    fetch: async (paths) => {
      const files: DataFile[] = [];
      for (const path of paths) files.push({ path: await repository.file(path), name: `${id}/${path}` });
      return files;
    },
  };
}

function isHidden(path: string): boolean {
  return path.split("/").some((name) => name.startsWith("."));
}
