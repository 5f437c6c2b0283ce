// Plain text: all of it is learned.
import { checkCompletion, type RowFields } from "./fields.ts";
import { type Draft, type RowFormat, WEIGHT_FIELD } from "./row-format.ts";

export const text: RowFormat = {
  name: "text",
  required: ["text"],
  optional: [],
  parse(row: RowFields): Draft {
    const words = checkCompletion(row.text("text"), row.column("text") ?? "text", row);
    const weight = row.weight(WEIGHT_FIELD);
    return weight === undefined ? { kind: "text", text: words } : { kind: "text", text: words, weight };
  },
};
