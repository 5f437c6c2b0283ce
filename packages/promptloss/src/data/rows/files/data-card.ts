// The part of a dataset's README.md that says which files make up which split: its YAML `configs`.

import { parse } from "yaml";
import { isJsonObject } from "../../../json-object.ts";
import { DataError, messageOf } from "../data-error.ts";

export interface CardConfig {
  readonly name: string;
  readonly isDefault: boolean;
  /** Patterns of files, by split. Undefined where only `folder` is given. */
  readonly splits: ReadonlyMap<string, readonly string[]> | undefined;
  /** The folder that the patterns are relative to. */
  readonly folder: string | undefined;
}

/** The configurations in a data card; empty where it has none. @throws {DataError} where its YAML is broken */
export function parseDataCard(text: string, file: string): CardConfig[] {
  const header = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1];
  if (header === undefined) return [];
  let card: unknown;
  try {
    card = parse(header);
  } catch (cause) {
    throw new DataError("unreadable", `the YAML at the top is broken: ${messageOf(cause)}`, { file, cause });
  }
  if (!isJsonObject(card) || card.configs === undefined || card.configs === null) return [];
  if (!Array.isArray(card.configs)) throw invalid("configs is not a list", file);
  return card.configs.map((config: unknown) => parseConfig(config, file));
}

function parseConfig(config: unknown, file: string): CardConfig {
  if (!isJsonObject(config)) throw invalid("an entry of configs has no keys", file);
  const { config_name: name = "default", default: isDefault, data_files: files, data_dir: folder } = config;
  return {
    name: String(name),
    isDefault: isDefault === true,
    splits: files === undefined || files === null ? undefined : parseDataFiles(files, file),
    folder: typeof folder === "string" ? folder : undefined,
  };
}

/** A pattern or patterns (train), a mapping from split to patterns, or a list of { split, path }. */
function parseDataFiles(files: unknown, file: string): Map<string, string[]> {
  const splits = new Map<string, string[]>();
  const add = (split: string, patterns: unknown): void => {
    const list = [patterns].flat();
    if (!list.every((pattern) => typeof pattern === "string")) throw invalid("a path is not text", file);
    splits.set(split, [...(splits.get(split) ?? []), ...list]);
  };
  if (isJsonObject(files)) {
    for (const [split, patterns] of Object.entries(files)) add(split, patterns);
  } else {
    for (const entry of [files].flat() as unknown[]) {
      if (isJsonObject(entry)) add(String(entry.split ?? "train"), entry.path);
      else add("train", entry);
    }
  }
  return splits;
}

function invalid(message: string, file: string): DataError {
  return new DataError("unreadable", `its configs can't be understood: ${message}`, { file });
}
