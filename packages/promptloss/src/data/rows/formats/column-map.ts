// From a format's field names to a file's columns: the mapping that the user gives, checked against both.
import { DataError } from "../data-error.ts";
import { nameList, nearestName } from "../nearest-name.ts";
import { FORMATS } from "./formats.ts";
import { COMMON_FIELDS, type RowFormat } from "./row-format.ts";

export type ColumnMapping = Readonly<Record<string, string | null>>;

/** All the fields that a format reads. */
export function fieldsOf(format: RowFormat): readonly string[] {
  return [...format.required, ...format.optional, ...COMMON_FIELDS];
}

/**
 * The column of each field. A column that is mapped to one field no longer stands for the field of its own name.
 * @throws {DataError} where a key of the mapping is no field
 */
export function columnMap(mapping: ColumnMapping, fields: Iterable<string>): Map<string, string | null> {
  const known = new Set(fields);
  for (const key of Object.keys(mapping)) {
    if (known.has(key)) continue;
    const nearest = nearestName(key, known);
    throw new DataError("invalid-option", "columns maps a field that the format doesn't have", {
      field: key,
      hint: nearest === undefined ? `Its fields: ${[...known].join(", ")}.` : `Did you mean ${nearest}?`,
    });
  }
  const taken = new Set(Object.values(mapping));
  return new Map(
    [...known].map((field) => [
      field,
      Object.hasOwn(mapping, field) ? mapping[field]! : taken.has(field) ? null : field,
    ]),
  );
}

/** @throws {DataError} where a mapped column is not in the file */
export function checkMappedColumns(mapping: ColumnMapping, columns: ReadonlySet<string>, file: string): void {
  for (const [field, column] of Object.entries(mapping)) {
    if (column === null || columns.has(column)) continue;
    const nearest = nearestName(column, columns);
    throw new DataError("missing-column", `no such column; columns maps ${field} to it`, {
      file,
      field: column,
      hint: nearest === undefined ? `Columns: ${nameList(columns)}.` : `Did you mean "${nearest}"?`,
    });
  }
}

/** Every field that any format reads. */
export const ALL_FIELDS: ReadonlySet<string> = new Set(FORMATS.flatMap(fieldsOf));
