// Messages: OpenAI's (role, content) and ShareGPT's (from, value), with text or a list of text parts, and a weight
// on a message or a part. Tool calls, images, sound and other roles are refused.
import type { Part, Role, Turn } from "../../example.ts";
import { RowProblem } from "../data-error.ts";
import { nameList } from "../nearest-name.ts";
import { asText, asWeight, type RowFields, wrongType } from "./fields.ts";
import { conversation, type Draft, type RowFormat } from "./row-format.ts";
import { CLASS_OF_ROLE, checkOrder, checkTexts, part, systemTurn, turn } from "./turns.ts";
import { checkColumns, checkMessage, holdsSomething, UNSUPPORTED_COLUMNS } from "./unsupported.ts";

/** Roles as data sets write them. */
const ROLES: Readonly<Record<string, Role>> = {
  system: "system",
  // OpenAI's later name for the system's.
  developer: "system",
  user: "user",
  human: "user",
  assistant: "assistant",
  gpt: "assistant",
};

const UNSUPPORTED_ROLES: ReadonlySet<string> = new Set([
  "tool",
  "function",
  "ipython",
  "function_call",
  "function-call",
  "observation",
  "function_response",
  "tool_call",
  "tool_response",
]);

/** Keys by which others weigh a message's loss; passing over them would train what the row says not to. */
const LOSS_KEYS = ["loss_weight", "loss_scale", "loss", "train", "training"] as const;

const READ_KEYS: ReadonlySet<string> = new Set(["role", "from", "content", "value", "weight"]);

export type IgnoredField = (field: string) => void;

/** The turns in a list of messages. `field` is the column, for errors. */
export function parseMessages(list: readonly unknown[], field: string, ignored: IgnoredField): Turn[] {
  return list.map((message, i) => parseMessage(message, `${field}[${i}]`, field, ignored));
}

function parseMessage(message: unknown, field: string, column: string, ignored: IgnoredField): Turn {
  if (typeof message !== "object" || message === null || Array.isArray(message)) {
    throw wrongType("a message with role and content", message, field);
  }
  const record = message as Record<string, unknown>;
  checkMessage(record, field);
  for (const key of LOSS_KEYS) {
    if (record[key] === undefined || record[key] === null) continue;
    throw new RowProblem("unsupported", `"${key}" is not how a message's weight is written here`, {
      field: `${field}.${key}`,
      hint: "Write it as weight, a number, 0 or more; without one, the recipe's weights hold.",
    });
  }
  for (const [key, value] of Object.entries(record))
    if (!READ_KEYS.has(key) && holdsSomething(value)) ignored(`${column}[].${key}`);
  const role = parseRole(pick(record, "role", "from", field));
  const weight = isAbsent(record.weight) ? undefined : asWeight(record.weight, `${field}.weight`);
  return turn(role, parseContent(pick(record, "content", "value", field), role, ignored, column), weight);
}

interface Picked {
  readonly value: unknown;
  readonly field: string;
}

/** The one of two keys that the message has. */
function pick(record: Record<string, unknown>, first: string, second: string, field: string): Picked {
  const present = [first, second].filter((key) => !isAbsent(record[key]));
  if (present.length === 1) return { value: record[present[0]!], field: `${field}.${present[0]}` };
  const empty = [first, second].find((key) => record[key] === null);
  if (present.length === 0 && empty !== undefined)
    throw new RowProblem("missing-field", `the message's ${empty} is null`, { field: `${field}.${empty}` });
  const what =
    present.length === 0 ? `neither "${first}" nor "${second}"` : `both "${first}" and "${second}"`;
  throw new RowProblem(present.length === 0 ? "missing-field" : "wrong-type", `the message has ${what}`, {
    field,
    hint: `It has: ${nameList(Object.keys(record))}.`,
  });
}

function parseRole({ value, field }: Picked): Role {
  const name = asText(value, field);
  const role = Object.hasOwn(ROLES, name) ? ROLES[name] : undefined;
  if (role !== undefined) return role;
  if (UNSUPPORTED_ROLES.has(name)) {
    throw new RowProblem("unsupported", `the role "${name}": tool use isn't supported`, { field });
  }
  throw new RowProblem("unknown-role", `the role ${JSON.stringify(name)}`, {
    field,
    hint: `Roles: ${Object.keys(ROLES).join(", ")}.`,
  });
}

function parseContent(
  { value, field }: Picked,
  role: Role,
  ignored: IgnoredField,
  column: string,
): readonly Part[] {
  const partClass = CLASS_OF_ROLE[role];
  if (!Array.isArray(value)) return [part(partClass, asText(value, field))];
  if (value.length === 0) throw new RowProblem("missing-field", "the message has no parts", { field });
  return value.map((item: unknown, i) => {
    const at = `${field}[${i}]`;
    if (typeof item === "string") return part(partClass, asText(item, at));
    if (typeof item !== "object" || item === null) throw wrongType("a text part", item, at);
    const { type, text, weight: own, ...rest } = item as Record<string, unknown>;
    if (!isAbsent(type) && type !== "text") {
      throw new RowProblem("unsupported", `a part of type ${JSON.stringify(type)}: only text is supported`, {
        field: at,
      });
    }
    checkMessage(rest, at);
    for (const [key, extra] of Object.entries(rest)) {
      // Parquet writes the keys of all kinds of parts on each, null where they don't apply.
      if (holdsSomething(extra)) ignored(`${column}[].content[].${key}`);
    }
    const partWeight = isAbsent(own) ? undefined : asWeight(own, `${at}.weight`);
    return part(partClass, asText(text, `${at}.text`), partWeight);
  });
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

/** The format of rows that are a list of messages in the column `column`. */
function messagesFormat(name: "messages" | "sharegpt", column: string): RowFormat {
  return {
    name,
    required: [column],
    optional: ["system", ...UNSUPPORTED_COLUMNS],
    parse(row: RowFields, ignored: IgnoredField): Draft {
      const field = row.column(column) ?? column;
      checkColumns(row);
      const said = parseMessages(row.list(column), field, ignored);
      const turns = [...systemTurn(row), ...said];
      checkOrder(turns, field);
      checkTexts(turns, field, row);
      return conversation(turns, row);
    },
  };
}

export const messages = messagesFormat("messages", "messages");
export const sharegpt = messagesFormat("sharegpt", "conversations");
