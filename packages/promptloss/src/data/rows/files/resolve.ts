// From a source's path to the files on disk: a file, a pattern, a dataset folder or a hub id.
import { stat } from "node:fs/promises";
import { type HubOptions, hubSettings, isHubId } from "../../../hub/settings.ts";
import { checkFile, type DataFile } from "../containers/bytes.ts";
import { DataError } from "../data-error.ts";
import type { DataSource } from "../data-source.ts";
import { chooseFiles } from "./choose-files.ts";
import { isPattern, localFolder, matchFiles } from "./local-folder.ts";

const DATASET_OPTIONS = ["split", "config", "files", "revision"] as const;

/** The files of a source, in the order in which they are read; downloaded where the path is a hub id. */
export async function resolveFiles(
  source: DataSource,
  hub: HubOptions,
  note: (text: string) => void,
): Promise<DataFile[]> {
  const { path } = source;
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isDirectory()) {
    refuse(source, ["revision"], "a folder on disk");
    const paths = await chooseFiles(await localFolder(path), source, note);
    return paths.map((name) => ({ path: `${path}/${name}`, name: `${path.replace(/\/$/, "")}/${name}` }));
  }
  if (stats === undefined && isPattern(path)) {
    refuse(source, DATASET_OPTIONS, "a pattern");
    const files = await matchFiles(path);
    if (files.length === 0) throw new DataError("missing-file", "no file matches", { file: path });
    return files;
  }
  if (stats === undefined && isHubId(path) && !hasDataExtension(path)) {
    const settings = hubSettings(hub);
    // The hub's client is loaded by those alone who ask it.
    const { openHubDataset } = await import("./hub-dataset.ts");
    const dataset = await openHubDataset(path, source.revision ?? "main", settings, note);
    return dataset.fetch(await chooseFiles(dataset, source, note));
  }
  const file = { path, name: path };
  await checkFile(file);
  refuse(source, DATASET_OPTIONS, "a file");
  return [file];
}

/** A missing `data/train.jsonl` is a slip in a path, not a dataset of someone called "data". */
function hasDataExtension(path: string): boolean {
  return /\.(jsonl?|ndjson|csv|tsv|parquet|txt|md|gz|zst|arrow)$/i.test(path);
}

function refuse(source: DataSource, options: readonly (keyof DataSource)[], what: string): void {
  const given = options.find((option) => source[option] !== undefined);
  if (given === undefined) return;
  const wanted = given === "revision" ? "a dataset of the hub" : "a dataset folder or one of the hub";
  throw new DataError("invalid-option", `the option is for ${wanted}; this is ${what}`, {
    file: source.path,
    field: given,
  });
}
