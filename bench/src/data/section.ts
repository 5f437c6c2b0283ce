// The section of docs/BENCHMARKS.md on data preparation, from its figures.
import { markdownTable } from "../lib/report.ts";
import { median, spread } from "../lib/statistics.ts";

/** A million rows read in a process of their own. */
export interface MemoryResult {
  readonly kind: string;
  readonly rows: number;
  readonly fileBytes: number;
  readonly seconds: number;
  /** Bytes. */
  readonly peak: number;
}

export interface Figures {
  readonly machine: string;
  /** Names of file and folder, and what is in the file. */
  readonly data: string;
  readonly tokenizer: string;
  readonly rows: number;
  readonly strings: number;
  readonly rounds: number;
  /** Seconds, a round each. */
  readonly alone: readonly number[];
  readonly inspected: readonly number[];
  readonly million: readonly MemoryResult[];
}

function seconds(samples: readonly number[]): string {
  return `${median(samples).toFixed(2)} s (spread ${(100 * spread(samples)).toFixed(0)} %)`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

function grouped(count: number): string {
  return count.toLocaleString("en-US");
}

export function sectionOf(figures: Figures): string {
  const { machine, data, tokenizer, rows, strings, rounds, alone, inspected, million } = figures;
  const ratio = median(inspected.map((took, i) => took / alone[i]!));
  return [
    "## Data preparation",
    "",
    `\`npm run bench:data -- ALPACA_JSON TOKENIZER_FOLDER\`, here with ${data} (${grouped(rows)} rows, ${grouped(strings)} strings) and the tokenizer of ${tokenizer}. ${machine}. Medians of ${rounds} rounds in which the two take turns.`,
    "",
    markdownTable(
      [
        "encoding the strings with the tokenizer's library alone",
        "`promptloss inspect` on the file",
        "ratio",
        "aim",
      ],
      [[seconds(alone), seconds(inspected), ratio.toFixed(2), "at most 1.3"]],
    ),
    "",
    "A million rows, read, turned into examples and their lengths counted, in a process of its own; peak resident memory.",
    "",
    markdownTable(
      ["file", "rows", "file size", "time", "peak memory", "aim"],
      million.map((each) => [
        ...[each.kind, grouped(each.rows), megabytes(each.fileBytes), `${each.seconds.toFixed(0)} s`],
        ...[megabytes(each.peak), "under 600 MB"],
      ]),
    ),
  ].join("\n");
}
