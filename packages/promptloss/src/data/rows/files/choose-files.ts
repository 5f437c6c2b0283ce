// Which of a dataset folder's files to read: what the user names, what the data card says, or what names tell.
import picomatch from "picomatch";
import { DataError } from "../data-error.ts";
import type { DataSource } from "../data-source.ts";
import { nearestName } from "../nearest-name.ts";
import { type CardConfig, parseDataCard } from "./data-card.ts";
import { inferSplits, missingShards, type Splits } from "./splits.ts";

/** A dataset folder, on disk or on the hub. */
export interface DatasetFolder {
  /** As the user named it. */
  readonly name: string;
  /** Relative paths with forward slashes, sorted. */
  readonly paths: readonly string[];
  /** The text of one of them. */
  readText(path: string): Promise<string>;
}

const KINDS = ["parquet", "jsonl", "ndjson", "json", "csv", "tsv", "txt"] as const;

/** Files that datasets and its kin write beside the data. */
const METADATA = /(^|\/)(dataset_infos?|dataset_dict|state|package|package-lock|tokenizer|config)\.json$/;

/** The paths to read. @throws {DataError} where the split, the configuration or the files aren't there */
export async function chooseFiles(
  folder: DatasetFolder,
  source: DataSource,
  note: (text: string) => void,
): Promise<string[]> {
  if (source.files !== undefined) {
    if (source.split !== undefined || source.config !== undefined) {
      throw new DataError("invalid-option", "files names the files, so split and config have no use", {
        file: folder.name,
        field: "files",
      });
    }
    return [source.files].flat().flatMap((pattern) => matching(folder, pattern, "files"));
  }
  const card = folder.paths.includes("README.md")
    ? parseDataCard(await folder.readText("README.md"), `${folder.name}/README.md`)
    : [];
  const config = chooseConfig(card, source.config, folder);
  const prefix = config?.folder === undefined ? "" : `${config.folder.replace(/^\.?\/|\/$/g, "")}/`;
  const splits: Splits =
    config?.splits === undefined
      ? inferSplits(dataFiles(folder, prefix))
      : new Map(
          [...config.splits].map(([split, patterns]) => [
            split,
            patterns.flatMap((pattern) => matching(folder, prefix + pattern, "README.md")),
          ]),
        );
  const paths = chooseSplit(splits, source.split, folder);
  if (config?.splits === undefined) noteUnread(folder, prefix, splits, note);
  const missing = missingShards(paths);
  if (missing.length > 0) {
    throw new DataError("missing-file", `${missing.length} of the split's shards are missing`, {
      file: folder.name,
      hint: `Missing: ${missing.slice(0, 5).join(", ")}${missing.length > 5 ? ", …" : ""}.`,
    });
  }
  return paths;
}

/** Tells of data files that are in no split: a split's name in another file's name leaves them out. */
function noteUnread(
  { name, paths }: DatasetFolder,
  prefix: string,
  splits: Splits,
  note: (text: string) => void,
): void {
  const taken = new Set([...splits.values()].flat());
  const unread = paths.filter(
    (path) =>
      path.startsWith(prefix) &&
      !taken.has(path) &&
      !METADATA.test(path) &&
      isDataFile(path) &&
      !isText(path),
  );
  if (unread.length === 0) return;
  const files = unread.length === 1 ? "1 data file is" : `${unread.length} data files are`;
  note(
    `${name}: ${files} not read, as no split's name is in theirs: ${list(unread)} (files names what to read)`,
  );
}

function kindOf(path: string): string | undefined {
  return KINDS.find((kind) => path.endsWith(`.${kind}`) || path.endsWith(`.${kind}.gz`));
}

function isDataFile(path: string): boolean {
  return kindOf(path) !== undefined;
}

/** Text files beside other data are licenses and notes. */
function isText(path: string): boolean {
  return kindOf(path) === "txt";
}

function matching({ paths, name }: DatasetFolder, pattern: string, said: string): string[] {
  const isMatch = picomatch(pattern.replace(/^\.\//, ""));
  const found = paths.filter((path) => isMatch(path));
  if (found.length > 0) return found;
  throw new DataError("missing-file", `no file matches "${pattern}", which ${said} names`, {
    file: name,
    hint: `Files: ${list(paths)}.`,
  });
}

/** The data files under `prefix`, of the kind that most of them are. */
function dataFiles({ paths, name }: DatasetFolder, prefix: string): string[] {
  const candidates = paths.filter((path) => path.startsWith(prefix) && !METADATA.test(path));
  const byKind = KINDS.map((kind) => candidates.filter((path) => kindOf(path) === kind));
  // Text files beside other data are licenses and notes.
  const data = byKind.slice(0, -1).sort((a, b) => b.length - a.length)[0]!;
  const found = data.length > 0 ? data : byKind.at(-1)!;
  if (found.length > 0) return found;
  const arrow = paths.some((path) => path.endsWith(".arrow"));
  throw new DataError("missing-file", `the folder has no data files (${KINDS.join(", ")})`, {
    file: name,
    hint: arrow
      ? "It was written by save_to_disk: write it as Parquet instead, Dataset.to_parquet(FILE)."
      : `Files: ${list(paths)}.`,
  });
}

function chooseConfig(
  card: readonly CardConfig[],
  named: string | undefined,
  { name }: DatasetFolder,
): CardConfig | undefined {
  const names = card.map((config) => config.name);
  if (named !== undefined) {
    const found = card.find((config) => config.name === named);
    if (found !== undefined) return found;
    const nearest = nearestName(named, names);
    throw new DataError("missing-split", `no configuration "${named}"`, {
      file: name,
      hint: nearest === undefined ? `Configurations: ${list(names)}.` : `Did you mean "${nearest}"?`,
    });
  }
  if (card.length <= 1) return card[0];
  const marked = card.find(({ isDefault }) => isDefault) ?? card.find((config) => config.name === "default");
  if (marked !== undefined) return marked;
  throw new DataError("missing-split", `the dataset has ${card.length} configurations and no default`, {
    file: name,
    hint: `Name one with config: ${list(names)}.`,
  });
}

function chooseSplit(splits: Splits, named: string | undefined, { name }: DatasetFolder): string[] {
  const wanted = named ?? (splits.size === 1 ? [...splits.keys()][0]! : "train");
  const found = splits.get(wanted);
  if (found !== undefined) return [...found];
  throw new DataError("missing-split", `no split "${wanted}"`, {
    file: name,
    hint: /[[:%+]/.test(wanted)
      ? "A part of a split is taken with limit and sample."
      : `Splits: ${list([...splits.keys()])}; name one with split.`,
  });
}

function list(names: readonly string[]): string {
  return names.length === 0 ? "none" : names.slice(0, 10).join(", ") + (names.length > 10 ? ", …" : "");
}
