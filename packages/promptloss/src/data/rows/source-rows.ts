// One source's files, read one after the other.
import type { Example } from "../example.ts";
import type { DataFile } from "./containers/bytes.ts";
import { type Container, detectContainer } from "./containers/container.ts";
import { readRows } from "./containers/rows.ts";
import { DataError } from "./data-error.ts";
import type { DataSource } from "./data-source.ts";
import { FileReader, type FileReaderOptions } from "./file-reader.ts";
import type { ReadLimits } from "./raw-row.ts";

export interface SourceReadOptions extends FileReaderOptions {
  limits: ReadLimits;
  onBytes: ((bytes: number) => void) | undefined;
}

/** @throws {DataError} where a file can't be read, has no rows, or where no row is left */
export async function* readSourceFiles(
  files: readonly DataFile[],
  config: DataSource,
  options: SourceReadOptions,
): AsyncGenerator<Example, void> {
  const { source, report, count } = options;
  for (const file of files) {
    const container = await detectContainer(file, config.container);
    yield* readFile(file, withOptions(container, config, file), config, options);
  }
  if (count && source.skipped === source.rows) {
    const [first] = report.samples;
    throw new DataError("no-examples", `all ${source.rows} rows were left out`, {
      file: config.path,
      hint: first && `The first: ${first.message}${first.hint === undefined ? "" : `\n${first.hint}`}`,
    });
  }
}

async function* readFile(
  file: DataFile,
  container: Container,
  config: DataSource,
  options: SourceReadOptions,
): AsyncGenerator<Example, void> {
  const { limits, source, count, onBytes } = options;
  const { kind, gzip } = container;
  const fileReport = { file: file.name, container: kind, gzip, rows: 0, blankLines: 0 };
  if (count) source.files.push(fileReport);
  const reader = new FileReader(fileReport, config, options);
  const batches = readRows(file, container, {
    ...{ limits, onBytes },
    counters: fileReport,
    field: config.field,
    delimiter: config.delimiter,
    quotes: config.quotes,
    sampleBy: config.sampleBy,
    chooseColumns: (columns) => reader.settle(new Set(columns)),
  });
  for await (const rows of batches) yield* reader.read(rows);
  yield* reader.end();
  if (fileReport.rows === 0) {
    throw new DataError("empty-file", "the file has no rows", { file: file.name });
  }
}

/** The container with what the user says of it; an option that it has no use for is an error. */
function withOptions(container: Container, config: DataSource, { name }: DataFile): Container {
  // An object on one line looks like JSON lines; with a key for the rows, it is a document.
  const kind = config.field !== undefined && container.kind === "jsonl" ? "json" : container.kind;
  const uses = { field: "json", delimiter: "csv", quotes: "csv", sampleBy: "text" } as const;
  for (const [option, wanted] of Object.entries(uses)) {
    if (config[option as keyof typeof uses] === undefined || kind === wanted) continue;
    throw new DataError("invalid-option", `this option is for ${wanted} files, and the file is ${kind}`, {
      file: name,
      field: option,
    });
  }
  return { ...container, kind };
}
