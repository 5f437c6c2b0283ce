// What a row format is: the fields that it reads, how it is recognized, and how a row becomes an example.
import type { ConversationExample, TextExample, TokenExample, Turn } from "../../example.ts";
import type { RowFields } from "./fields.ts";

/** An example before its place is known. */
export type Draft =
  | Omit<ConversationExample, "source">
  | Omit<TextExample, "source">
  | Omit<TokenExample, "source">;

export interface RowFormat {
  readonly name: FormatName;
  /** Rows with all of these are taken for this format. */
  readonly required: readonly string[];
  /** What else it reads, beside the COMMON_FIELDS of every format. */
  readonly optional: readonly string[];
  /** @throws {RowProblem} */
  parse(row: RowFields, told: Told): Draft;
}

/** Who is told what of a row was not taken as it stands. */
export interface Told {
  /** Names of fields inside messages that nothing reads. */
  ignored(field: string): void;
  /** What is counted, as in "rows whose tools are not written again". */
  counted(what: string): void;
}

export const FORMAT_NAMES = [
  "alpaca",
  "prompt-completion",
  "messages",
  "sharegpt",
  "text",
  "xlam",
  "tokens",
] as const;

export type FormatName = (typeof FORMAT_NAMES)[number];

/** The example weight's field in every format. */
export const WEIGHT_FIELD = "weight";

/** The field in every format that says which rows belong together. */
export const GROUP_FIELD = "group";

export const COMMON_FIELDS: readonly string[] = [WEIGHT_FIELD, GROUP_FIELD];

/** A conversation's draft with the row's weight. */
export function conversation(turns: readonly Turn[], row: RowFields, tools: readonly string[] = []): Draft {
  const weight = row.weight(WEIGHT_FIELD);
  return {
    kind: "conversation",
    turns: Object.freeze(turns),
    ...(tools.length > 0 && { tools: Object.freeze(tools) }),
    ...(weight !== undefined && { weight }),
  };
}
