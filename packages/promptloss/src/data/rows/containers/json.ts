// A JSON document that is a list of rows, or an object with the list under a key (`field`), read as it streams.
// A row is numbered by its place in the list. A bad element is a bad row; a broken list ends the reading.
import { DataError, type RowProblem } from "../data-error.ts";
import type { RawRow, ReadLimits, RowBatches } from "../raw-row.ts";
import { type JsonElement, JsonElementSplitter, type JsonFault } from "./json-elements.ts";
import { parseJsonRow } from "./json-text.ts";
import { rowTooLarge } from "./row-size.ts";

export async function* readJson(
  chunks: AsyncIterable<Buffer>,
  file: string,
  key: string | undefined,
  limits: ReadLimits,
): RowBatches {
  const splitter = new JsonElementSplitter(key, limits.maxRowBytes);
  for await (const chunk of chunks) {
    const rows = splitter.push(chunk).map((element) => parseElement(element, limits.maxRowBytes));
    if (rows.length > 0) yield rows;
    if (splitter.fault !== undefined) break;
  }
  splitter.end();
  if (splitter.fault !== undefined) throw documentError(splitter.fault, file, key);
}

function parseElement({ number, bytes, start, length }: JsonElement, maxRowBytes: number): RawRow {
  if (bytes === undefined) return { row: number, problem: rowTooLarge(length, maxRowBytes) };
  try {
    return { row: number, value: parseJsonRow(bytes, start) };
  } catch (error) {
    return { row: number, problem: error as RowProblem };
  }
}

function documentError(fault: JsonFault, file: string, key: string | undefined): DataError {
  switch (fault.kind) {
    case "truncated":
      return new DataError("truncated", `the JSON document ends at byte ${fault.offset}, inside this row`, {
        file,
        row: fault.element,
        hint: "The file is cut off: fetch it again.",
      });
    case "several":
      return new DataError(
        "invalid-json",
        `another JSON value starts at byte ${fault.offset}, behind the first`,
        {
          file,
          hint: "Rows stand in one list, or one object a line; write lines with: jq -c . FILE > NEW.jsonl",
        },
      );
    case "syntax":
      return new DataError(
        "invalid-json",
        `unexpected ${JSON.stringify(fault.found)} at byte ${fault.offset} of the list of rows`,
        { file, row: fault.element },
      );
    case "not-a-list":
      return new DataError("invalid-json", "the document is an object, not a list of rows", {
        file,
        hint:
          fault.keys.length > 0
            ? `If the rows stand under a key, name it with field; its keys: ${fault.keys.join(", ")}.`
            : "Rows stand in a list, [{…}, {…}], or one object a line.",
      });
    case "missing-key":
      return new DataError("invalid-json", `the document has no list of rows under "${key}"`, {
        file,
        field: key,
        hint:
          fault.keys.length > 0
            ? `Its keys: ${fault.keys.join(", ")}.`
            : "Leave out field: the document's top level is a list.",
      });
  }
}
