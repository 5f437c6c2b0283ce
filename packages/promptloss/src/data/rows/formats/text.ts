// Plain text: all of it is learnt.
import { type RowFields, requireCompletion } from "./fields.ts";
import { type Draft, type RowFormat, WEIGHT_FIELD } from "./row-format.ts";

export const text: RowFormat = {
  name: "text",
  required: ["text"],
  optional: [],
  parse(row: RowFields): Draft {
    const words = requireCompletion(row.text("text"), row.column("text") ?? "text");
    const weight = row.weight(WEIGHT_FIELD);
    return weight === undefined ? { kind: "text", text: words } : { kind: "text", text: words, weight };
  },
};
