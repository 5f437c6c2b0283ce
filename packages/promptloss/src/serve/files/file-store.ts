// Uploaded files: one JSON file that describes it and one with its content, under an id of ours. They are checked by the
// reader that training uses before they are kept.
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DataError, readExamples } from "../../data/rows/index.ts";
import { makeFolder, readJson, replaceFileWith, writeJson } from "../../files/atomic.ts";
import { ServeError } from "../errors.ts";
import { isId, newId, now } from "../ids.ts";
import type { ServeLimits } from "../limits.ts";

export interface FileObject {
  readonly id: string;
  readonly object: "file";
  readonly bytes: number;
  readonly created_at: number;
  /** As the client called it; no path is made of it. */
  readonly filename: string;
  readonly purpose: "fine-tune";
  readonly status: "processed";
}

export interface UploadedFile {
  readonly filename: string;
  readonly content: Uint8Array;
}

type FileLimits = Pick<ServeLimits, "fileBytes" | "files">;

/** Bad rows that an error names; more are counted. */
const NAMED_ROWS = 100;

export class FileStore {
  readonly #folder: string;
  readonly #limits: FileLimits;

  /** @param folder made where it is missing */
  constructor(folder: string, limits: FileLimits) {
    this.#folder = folder;
    this.#limits = limits;
    makeFolder(folder);
    for (const name of readdirSync(folder))
      if (!/^file-[0-9a-f]{24}\.jsonl?$/.test(name)) rmSync(join(folder, name), { recursive: true });
  }

  /** The newest first. */
  list(): FileObject[] {
    return readdirSync(this.#folder)
      .flatMap((name) =>
        name.endsWith(".json") ? (readJson<FileObject>(join(this.#folder, name)) ?? []) : [],
      )
      .sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? -1 : 1));
  }

  /** @throws {ServeError} 404 */
  get(id: string): FileObject {
    const file = isId(id, "file") ? readJson<FileObject>(this.#describes(id)) : undefined;
    if (file === undefined)
      throw new ServeError(404, `there is no file ${id} here`, { param: "id", code: "file_not_found" });
    return file;
  }

  /** Where the rows of a file lie. @throws {ServeError} 404 */
  contentPath(id: string): string {
    return this.#content(this.get(id).id);
  }

  /**
   * Keeps a file of training rows.
   * @throws {ServeError} 400 with every row that can't be used; 413 and 400 for more than the limits give
   */
  async add({ filename, content }: UploadedFile): Promise<FileObject> {
    this.#checkRoom(content.byteLength);
    const id = newId("file");
    await replaceFileWith(this.#content(id), async (draft) => {
      writeFileSync(draft, content);
      await checkRows(draft, filename);
    });
    const file: FileObject = {
      id,
      object: "file",
      bytes: content.byteLength,
      created_at: now(),
      filename,
      purpose: "fine-tune",
      status: "processed",
    };
    writeJson(this.#describes(id), file);
    return file;
  }

  /** @throws {ServeError} 404 */
  delete(id: string): void {
    const file = this.get(id);
    rmSync(this.#describes(file.id));
    rmSync(this.#content(file.id), { force: true });
  }

  #checkRoom(bytes: number): void {
    const { fileBytes, files } = this.#limits;
    if (bytes > fileBytes)
      throw new ServeError(413, `file: has ${bytes} bytes, and ${fileBytes} are the most`, {
        param: "file",
        code: "file_too_large",
      });
    if (this.list().length >= files)
      throw new ServeError(400, `there are ${files} files, the most that this server keeps`, {
        code: "too_many_files",
        hint: "delete one",
      });
  }

  #describes(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  #content(id: string): string {
    return join(this.#folder, `${id}.jsonl`);
  }
}

/** @throws {ServeError} 400 naming every row that can't be used */
async function checkRows(path: string, filename: string): Promise<void> {
  const bad: DataError[] = [];
  let count = 0;
  let rows = 0;
  try {
    const stream = readExamples(
      { path, container: "jsonl" },
      {
        onBadRow: "skip",
        onSkip: (error) => {
          count++;
          if (bad.length < NAMED_ROWS) bad.push(error);
        },
      },
    );
    for await (const _ of stream) rows++;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    if (count === 0)
      throw refused(
        [`${named(error, path, filename)}${error.hint === undefined ? "" : ` (${error.hint})`}`],
        0,
      );
  }
  if (count > 0)
    throw refused(
      bad.map((error) => named(error, path, filename)),
      count,
    );
  if (rows === 0) throw refused([`${filename}: there are no rows to train on`], 0);
}

/** Without the place where the server keeps it. A name may hold what replaceAll takes for a pattern: `$&`. */
function named({ message }: DataError, path: string, filename: string): string {
  return message.replaceAll(path, () => filename);
}

function refused(lines: readonly string[], count: number): ServeError {
  const more = count > lines.length ? `\n… and ${count - lines.length} more` : "";
  const head = count === 0 ? "" : `${count} ${count === 1 ? "row" : "rows"} can't be used:\n`;
  return new ServeError(400, `file: ${head}${lines.join("\n")}${more}`, {
    param: "file",
    code: "invalid_training_file",
  });
}
