// Rows of data files as a task takes them: whole, in order, from any container that data for training may have.
import type { DataFile } from "../../data/rows/containers/bytes.ts";
import { detectContainer } from "../../data/rows/containers/container.ts";
import { readRows } from "../../data/rows/containers/rows.ts";
import { DEFAULT_LIMITS } from "../../data/rows/raw-row.ts";
import { TaskDataError } from "../errors.ts";
import { type Row, RowProblem, valueAt } from "./render.ts";

/**
 * @param path of the object inside each row that holds its fields, as "translation"; the row itself where left out
 * @throws {TaskDataError} for a row that can't be read, and where there is none
 * @throws {DataError} for a file that can't be read at all
 */
export async function readFileRows(files: readonly DataFile[], path?: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const file of files) {
    const container = await detectContainer(file);
    const batches = readRows(file, container, { limits: DEFAULT_LIMITS, counters: { blankLines: 0 } });
    for await (const batch of batches)
      for (const { row, value, problem } of batch) {
        if (problem !== undefined)
          throw new TaskDataError(file.name, problem.message, { row, hint: problem.hint, cause: problem });
        rows.push(objectAt(path, plain(value) as Row, file.name, row));
      }
  }
  if (rows.length === 0)
    throw new TaskDataError(files.map(({ name }) => name).join(", "), "there are no rows");
  return rows;
}

function objectAt(path: string | undefined, value: Row, file: string, row: number): Row {
  if (path === undefined) return value;
  try {
    const inner = valueAt(path, value);
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) return inner as Row;
    throw new RowProblem(`${path} is no object`);
  } catch (cause) {
    if (cause instanceof RowProblem) throw new TaskDataError(file, cause.message, { row, cause });
    throw cause;
  }
}

/** Parquet's 64-bit integers become numbers, as templates and labels take them. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}
