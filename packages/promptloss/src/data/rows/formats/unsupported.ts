// What data sets carry beside the words that a dialogue of text has no place for. With a value, such a field is refused: a
// model that is trained without it learns another dialogue.
import { RowProblem } from "../data-error.ts";
import type { RowFields } from "./fields.ts";

/** Of a message, or of a part of one. */
const MESSAGE_FIELDS = [
  "image",
  "images",
  "image_url",
  "audio",
  "audios",
  "input_audio",
  "video",
  "videos",
  "refusal",
] as const;

/** Of a row with tools that has no place for them. */
export const TOOL_COLUMNS = ["tools", "functions"] as const;

/** Of a row. A recipe's `columns` can leave them out by name. */
export const UNSUPPORTED_COLUMNS: readonly string[] = [
  "image",
  "images",
  "audio",
  "audios",
  "video",
  "videos",
  "documents",
  "chat_template_kwargs",
];

/** @param field where the message or part stands, for errors */
export function checkMessage(message: Readonly<Record<string, unknown>>, field: string): void {
  for (const key of MESSAGE_FIELDS)
    if (holdsSomething(message[key]))
      throw new RowProblem("unsupported", unsupported(key), {
        field: `${field}.${key}`,
        hint: "Take it out of the data, or leave the row out with onBadRow: skip.",
      });
}

/** Refuses a row that has a value in one of the columns. */
export function checkColumns(row: RowFields, columns = UNSUPPORTED_COLUMNS): void {
  for (const name of columns) {
    if (!holdsSomething(row.get(name))) continue;
    throw new RowProblem("unsupported", unsupported(name), {
      field: row.column(name) ?? name,
      hint: `To train without it all the same, leave it out by name: columns: { ${name}: null }.`,
    });
  }
}

function unsupported(name: string): string {
  return `"${name}" isn't supported, and leaving it out would change the dialogue`;
}

/** Whether there is anything in a value. Parquet writes keys that don't apply as null, CSV writes lists as text. */
export function holdsSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  if (typeof value === "string") return !/^\s*(\[\s*\]|\{\s*\}|null)?\s*$/.test(value);
  if (Array.isArray(value)) return value.some(holdsSomething);
  return typeof value !== "object" || ArrayBuffer.isView(value) || Object.values(value).some(holdsSomething);
}
