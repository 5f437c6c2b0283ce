// Rows that a client sent as text, as a file for the readers of data: they decide by name and content what a file is, and
// read nothing but files.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { type ContainerKind, DataError, type DataSource } from "../../data/rows/index.ts";
import { ServeError } from "../../serve/errors.ts";

/** What of a text's name decides how it is read. */
const EXTENSIONS: ReadonlySet<string> = new Set([
  ".jsonl",
  ".ndjson",
  ".json",
  ".csv",
  ".tsv",
  ".txt",
  ".md",
]);

export interface RowsText {
  readonly text: string;
  /** As the client calls it; no path is made of it. */
  readonly name: string;
  /** What it is, where its name and content don't tell. */
  readonly container?: ContainerKind | undefined;
}

export interface RowsFile {
  readonly source: DataSource;
  /** A message about the file with the name that the client knows. */
  readonly named: (message: string) => string;
}

/**
 * Works with a text as a file, which is deleted at the end.
 * @throws {ServeError} 400 for a text that no file of UTF-8 can hold
 */
export async function withRowsFile<T>(
  { text, name, container }: RowsText,
  work: (file: RowsFile) => Promise<T>,
): Promise<T> {
  // In Node 20 and in ECMAScript 2024, whose library this project's compiler settings don't name.
  if (!(text as string & { isWellFormed(): boolean }).isWellFormed())
    throw new ServeError(400, "text: holds half of a surrogate pair, which no UTF-8 text can hold", {
      param: "text",
    });
  const extension = extname(name).toLowerCase();
  const folder = await mkdtemp(join(tmpdir(), "promptloss-rows-"));
  const path = join(folder, `rows${EXTENSIONS.has(extension) ? extension : ""}`);
  const named = (message: string): string => message.replaceAll(path, () => name);
  try {
    await writeFile(path, text);
    return await work({ source: { path, ...(container !== undefined && { container }) }, named });
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const { message, hint, reason } = error;
    throw new ServeError(400, named(message), {
      param: "text",
      code: reason,
      hint: hint && named(hint),
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
