// Messages: OpenAI's (role, content) and ShareGPT's (from, value), with text or a list of text parts, and a weight
// on a message or a part; reasoning beside the content or in it, tool calls and their results. Images, sound and other
// roles are refused.
import type { Part, Role, ToolCall, Turn } from "../../example.ts";
import { REASONING_KEYS, thinkBlock } from "../../think-block.ts";
import { RowProblem } from "../data-error.ts";
import { nameList } from "../nearest-name.ts";
import { asText, asWeight, isBlankText, type RowFields, wrongType } from "./fields.ts";
import { conversation, type Draft, type RowFormat, type Told } from "./row-format.ts";
import {
  callBlocks,
  hasCallMark,
  parseCall,
  parseCallText,
  parseToolCalls,
  resultTexts,
  rowTools,
  TOOL_FIELDS,
} from "./tools.ts";
import { CLASS_OF_ROLE, checkOrder, checkTexts, part, systemParts, systemTurn, turn } from "./turns.ts";
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
  tool: "tool",
  // OpenAI's former name for a tool's, and those of ShareGPT's kin.
  function: "tool",
  observation: "tool",
  ipython: "tool",
  function_response: "tool",
  tool_response: "tool",
};

/** Roles whose words are an assistant's calls, as JSON. */
const CALL_ROLES: ReadonlySet<string> = new Set(["function_call", "function-call", "tool_call"]);

/** Keys by which others weigh a message's loss; passing over them would train what the row says not to. */
const LOSS_KEYS = ["loss_weight", "loss_scale", "loss", "train", "training"] as const;

const READ_KEYS: ReadonlySet<string> = new Set(["role", "from", "content", "value", "weight"]);

/** Keys that are an assistant's, and those of a tool's result. */
const ASSISTANT_KEYS: ReadonlySet<string> = new Set([...REASONING_KEYS, "tool_calls", "function_call"]);
const TOOL_KEYS: ReadonlySet<string> = new Set(["tool_call_id", "name"]);

/** The turns in a list of messages. `field` is the column, for errors. */
export function parseMessages(list: readonly unknown[], field: string, told: Told): Turn[] {
  return list.flatMap((message, i) => parseMessage(message, `${field}[${i}]`, field, told));
}

function parseMessage(message: unknown, field: string, column: string, told: Told): Turn[] {
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
  const named = pick(record, "role", "from", field);
  const isCall = CALL_ROLES.has(asText(named.value, named.field));
  const role = isCall ? "assistant" : parseRole(named);
  checkKeys(record, role, field, column, told);
  const weight = isAbsent(record.weight) ? undefined : asWeight(record.weight, `${field}.weight`);
  if (isCall) {
    const { value, field: at } = pick(record, "content", "value", field);
    const toolCalls = parseCallText(value, at);
    const extras = { ...reasoningOf(record, field), toolCalls };
    return [turn(role, [part("completion", "")], weight, extras)];
  }
  if (role === "assistant") return [assistantTurn(record, field, column, weight, told)];
  if (role === "tool") return toolTurns(record, field, column, weight, told);
  const content = pick(record, "content", "value", field);
  return [turn(role, parseContent(content, role, told, column), weight)];
}

/** Names the keys that nothing reads, and refuses those that are another role's. */
function checkKeys(
  record: Record<string, unknown>,
  role: Role,
  field: string,
  column: string,
  { ignored }: Told,
): void {
  for (const [key, value] of Object.entries(record)) {
    if (READ_KEYS.has(key) || !holdsSomething(value)) continue;
    if (role === "assistant" ? ASSISTANT_KEYS.has(key) : role === "tool" && TOOL_KEYS.has(key)) continue;
    if (ASSISTANT_KEYS.has(key))
      throw new RowProblem("unsupported", `"${key}" is an assistant's, and the message is the ${role}'s`, {
        field: `${field}.${key}`,
        hint: "Take it out of the data, or leave the row out with onBadRow: skip.",
      });
    ignored(`${column}[].${key}`);
  }
}

function assistantTurn(
  record: Record<string, unknown>,
  field: string,
  column: string,
  weight: number | undefined,
  told: Told,
): Turn {
  const calls: ToolCall[] = [];
  if (holdsSomething(record.tool_calls))
    calls.push(...parseToolCalls(record.tool_calls, `${field}.tool_calls`, column, told));
  if (holdsSomething(record.function_call))
    calls.push(parseCall(record.function_call, `${field}.function_call`));
  const reasoning = reasoningOf(record, field);
  // Who only calls or thinks may have no words.
  const isSilent = calls.length > 0 && isAbsent(record.content) && isAbsent(record.value);
  const parts = isSilent
    ? [part("completion", "")]
    : parseContent(pick(record, "content", "value", field), "assistant", told, column);
  const [only, other] = parts;
  const words = other === undefined && only?.weight === undefined ? only?.text : undefined;
  const blocks = words === undefined || calls.length > 0 ? undefined : callBlocks(words);
  if (blocks !== undefined)
    return turn("assistant", wordParts([part("completion", blocks.text)]), weight, {
      ...reasoning,
      toolCalls: blocks.calls,
    });
  if (calls.length === 0 && parts.some(({ text }) => hasCallMark(text)))
    told.counted("messages whose <tool_call> is no call in JSON at their end, and stays a part of the words");
  return turn("assistant", wordParts(parts), weight, {
    ...reasoning,
    toolCalls: calls.length > 0 ? calls : undefined,
  });
}

/** The parts of an assistant's words, with the reasoning at their beginning as a part of its own. */
function wordParts(parts: readonly Part[]): Part[] {
  const [first, ...rest] = parts;
  const block = first && thinkBlock(first.text);
  if (first === undefined || block === undefined || block.start === block.end) return [...parts];
  const { text, weight } = first;
  const pieces = [
    part("completion", text.slice(0, block.start), weight),
    part("reasoning", text.slice(block.start, block.end), weight),
    part("completion", text.slice(block.end), weight),
  ];
  return [...pieces.filter((each) => each.text !== ""), ...rest];
}

function reasoningOf(record: Record<string, unknown>, field: string): { reasoning?: string } {
  const present = REASONING_KEYS.filter((key) => holdsSomething(record[key]));
  const [key, other] = present;
  if (key === undefined) return {};
  const text = asText(record[key], `${field}.${key}`);
  if (other !== undefined && record[other] !== text)
    throw new RowProblem("wrong-type", `the message has both "${key}" and "${other}", which differ`, {
      field: `${field}.${other}`,
    });
  return isBlankText(text) ? {} : { reasoning: text };
}

function toolTurns(
  record: Record<string, unknown>,
  field: string,
  column: string,
  weight: number | undefined,
  told: Told,
): Turn[] {
  const [id, name] = ["tool_call_id", "name"].map((key) =>
    isAbsent(record[key]) ? undefined : asText(record[key], `${field}.${key}`),
  );
  const extras = { toolCallId: id, name };
  const isEmpty = isAbsent(record.content) && isAbsent(record.value);
  const parts = isEmpty
    ? [part("tool-result", "")]
    : parseContent(pick(record, "content", "value", field), "tool", told, column);
  const [only, other] = parts;
  if (other !== undefined || only?.weight !== undefined) return [turn("tool", parts, weight, extras)];
  return resultTexts(only!.text).map((text) => turn("tool", [part("tool-result", text)], weight, extras));
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
  throw new RowProblem("unknown-role", `the role ${JSON.stringify(name)}`, {
    field,
    hint: `Roles: ${[...Object.keys(ROLES), ...CALL_ROLES].join(", ")}.`,
  });
}

function parseContent(
  { value, field }: Picked,
  role: Role,
  { ignored }: Told,
  column: string,
): readonly Part[] {
  const partClass = CLASS_OF_ROLE[role];
  if (!Array.isArray(value)) {
    const text = asText(value, field);
    return role === "system" ? systemParts(text) : [part(partClass, text)];
  }
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
    optional: ["system", ...TOOL_FIELDS, ...UNSUPPORTED_COLUMNS],
    parse(row: RowFields, told: Told): Draft {
      const field = row.column(column) ?? column;
      checkColumns(row);
      const said = parseMessages(row.list(column), field, told);
      const turns = [...systemTurn(row), ...said];
      checkOrder(turns, field);
      checkTexts(turns, field, row);
      return conversation(turns, row, rowTools(row, turns, told));
    },
  };
}

export const messages = messagesFormat("messages", "messages");
export const sharegpt = messagesFormat("sharegpt", "conversations");
