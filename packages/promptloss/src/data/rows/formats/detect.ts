// Which format rows have, from the columns that they have.
import { DataError } from "../data-error.ts";
import { nameList } from "../nearest-name.ts";
import { ALL_FIELDS, type ColumnMapping, columnMap } from "./column-map.ts";
import { FORMATS } from "./formats.ts";
import { FORMAT_NAMES, type RowFormat } from "./row-format.ts";

/**
 * The format whose required fields are all there. `text` stands back where another fits, for many data sets carry
 * the rendered text beside its parts.
 * @throws {DataError} where none or several fit
 */
export function formatOfColumns(
  columns: ReadonlySet<string>,
  mapping: ColumnMapping,
  file: string,
): RowFormat {
  const columnOf = columnMap(mapping, ALL_FIELDS);
  const fitting = FORMATS.filter(({ required }) =>
    required.every((field) => {
      const column = columnOf.get(field) ?? null;
      return column !== null && columns.has(column);
    }),
  );
  const specific = fitting.length > 1 ? fitting.filter(({ name }) => name !== "text") : fitting;
  if (specific.length === 1) return specific[0]!;
  const seen = nameList(columns);
  if (specific.length > 1) {
    const names = specific.map(({ name }) => name);
    throw new DataError("ambiguous-format", `the rows fit ${names.join(" and ")}; their columns: ${seen}`, {
      file,
      hint: `Name one: format: ${names.map((name) => `"${name}"`).join(" or ")}.`,
    });
  }
  throw new DataError("unknown-format", `the rows fit no known format; their columns: ${seen}`, {
    file,
    hint: `${formatList()} Map other names, for example columns: { instruction: "question", output: "answer" } (--columns instruction=question,output=answer).`,
  });
}

function formatList(): string {
  const descriptions = FORMAT_NAMES.map((name) => {
    const { required } = FORMATS.find((format) => format.name === name)!;
    return `${name} (${required.join(", ")})`;
  });
  return `Formats: ${descriptions.join("; ")}.`;
}
