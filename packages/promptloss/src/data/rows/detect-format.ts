// What a source holds, without reading all of it.
import type { ContainerKind } from "./containers/container.ts";
import type { DataSource } from "./data-source.ts";
import type { FormatName } from "./formats/row-format.ts";
import { type ReadOptions, readExamples } from "./read-examples.ts";

export interface DetectedFormat {
  readonly format: FormatName;
  /** The first file's. */
  readonly container: ContainerKind;
  readonly gzip: boolean;
  readonly ignoredColumns: readonly string[];
}

/** Looks at the first rows of a path or source. Bad rows are passed over. @throws {DataError} as reading does */
export async function detectFormat(
  source: string | DataSource,
  options: Omit<ReadOptions, "onBadRow" | "emptyCompletions"> = {},
): Promise<DetectedFormat> {
  const config = typeof source === "string" ? { path: source } : source;
  const stream = readExamples(
    { ...config, limit: 1, sample: "first" },
    { ...options, onBadRow: "skip", emptyCompletions: "keep" },
  );
  for await (const _ of stream) break;
  const { format, files, ignoredColumns } = stream.report.sources[0]!;
  const { container, gzip } = files[0]!;
  return { format: format!, container, gzip, ignoredColumns };
}
