// Which rows to preview: those named, some at random, or the first few, out of what training would read.
import type { Example } from "../data/example.ts";
import type { LeftOut } from "../data/left-out.ts";
import { type DataSource, type ReadOptions, readExamples } from "../data/rows/index.ts";
import { randomFor, sampleItems } from "../data/rows/sampling.ts";
import { PromptlossError } from "../errors.ts";

/** One of the two, or neither: the first few rows. */
export interface RowChoice {
  /** Row numbers in their files. */
  readonly rows?: ReadonlySet<number> | undefined;
  /** So many, drawn from all rows of all sources with the seed of `read`. */
  readonly random?: number | undefined;
}

export interface ChosenExamples {
  readonly examples: readonly Example[];
  /** What reading left out on the way. */
  readonly leftOut: LeftOut;
}

/** Rows shown where nothing else is said. */
const SHOWN = 3;

/** The draws of sources are numbered from 0; this one is nobody's. */
const PREVIEW_DRAW = -1;

/** @throws {PromptlossError} where a row that is named isn't there, and {DataError} as reading does */
export async function chooseExamples(
  sources: readonly DataSource[],
  read: ReadOptions,
  { rows, random }: RowChoice,
): Promise<ChosenExamples> {
  const bad = new Map<number, string>();
  const stream = readExamples(sources, {
    ...read,
    onSkip: (error) => {
      read.onSkip?.(error);
      if (error.row !== undefined && rows?.has(error.row)) bad.set(error.row, error.message);
    },
  });
  const examples =
    rows !== undefined
      ? await named(stream, rows, sources.length === 1, bad)
      : random === undefined
        ? await firstOf(stream)
        : await sampleItems(stream, random, randomFor(read.seed ?? 0, PREVIEW_DRAW, 0));
  return { examples, leftOut: stream.report };
}

async function firstOf(stream: AsyncIterable<Example>): Promise<Example[]> {
  const first: Example[] = [];
  for await (const example of stream) if (first.push(example) === SHOWN) break;
  return first;
}

/** Each row once, however often its source's weight repeats it. */
async function named(
  stream: AsyncIterable<Example>,
  rows: ReadonlySet<number>,
  isOneSource: boolean,
  bad: ReadonlyMap<number, string>,
): Promise<Example[]> {
  const last = Math.max(...rows);
  const chosen = new Map<string, Example>();
  for await (const example of stream) {
    const { file, row } = example.source;
    if (rows.has(row)) chosen.set(`${row} ${file}`, chosen.get(`${row} ${file}`) ?? example);
    if (isOneSource && row >= last) break;
  }
  const found = new Set([...chosen.values()].map(({ source }) => source.row));
  const missing = [...rows].filter((row) => !found.has(row));
  const refused = missing.map((row) => bad.get(row)).find((message) => message !== undefined);
  if (refused !== undefined) throw new PromptlossError(`a row to show was left out: ${refused}`);
  if (missing.length > 0) throw new PromptlossError(`there is no row ${missing.join(", ")}`);
  return [...chosen.values()];
}
