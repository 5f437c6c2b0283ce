// What kind of rows sources have, by the first row of each: a source has one format.
import type { Example } from "../data/example.ts";
import { type DataSource, type ReadOptions, readExamples } from "../data/rows/index.ts";

/** Whether every source has rows of ids. */
export async function areIds(sources: readonly DataSource[], read: ReadOptions): Promise<boolean> {
  for (const source of sources) {
    if (source.format !== undefined && source.format !== "tokens") return false;
    if ((await firstKind(source, read)) !== "tokens") return false;
  }
  return true;
}

/** Whether a source has rows that a template lays out. */
export async function haveConversations(sources: readonly DataSource[], read: ReadOptions): Promise<boolean> {
  for (const source of sources) if ((await firstKind(source, read)) === "conversation") return true;
  return false;
}

async function firstKind(source: DataSource, read: ReadOptions): Promise<Example["kind"] | undefined> {
  for await (const { kind } of readExamples(source, { ...read, onBadRow: "skip" })) return kind;
  return undefined;
}
