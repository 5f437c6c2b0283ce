// Tools in rows: definitions, calls and results, as OpenAI, ShareGPT, Hermes and xLAM write them, and as text inside the
// words. What a template gets of them is the same for all.
import { isJsonObject, type JsonObject } from "../../../json-object.ts";
import type { ToolCall, Turn } from "../../example.ts";
import { kindOf } from "../containers/json-text.ts";
import { RowProblem } from "../data-error.ts";
import { jsonTextOf } from "../json-source.ts";
import { asText, jsonOf, type RowFields, wrongType } from "./fields.ts";
import type { Told } from "./row-format.ts";
import { holdsSomething } from "./unsupported.ts";

/** Columns of rows whose messages may call tools. */
export const TOOL_FIELDS = ["tools", "functions", "parallel_tool_calls"] as const;

function isObject(value: unknown): value is JsonObject {
  return isJsonObject(value) && !ArrayBuffer.isView(value);
}

/** A text that holds JSON as its value; anything else as it is. */
function read(value: unknown, field: string): unknown {
  return typeof value === "string" && /^\s*[[{]/.test(value) ? jsonOf(value, field) : value;
}

/**
 * The tools of a row, each as JSON text, from `tools` or OpenAI's former `functions`: lists, or JSON text of them. A bare
 * function is wrapped as OpenAI's are. None where a system message spells them out already, which is counted.
 */
export function rowTools(row: RowFields, turns: readonly Turn[], { counted }: Told): string[] {
  checkParallel(row, turns);
  const tools = (["tools", "functions"] as const).flatMap((name) => {
    if (!holdsSomething(row.get(name))) return [];
    return toolTexts(row.json(name), row.column(name) ?? name);
  });
  if (
    tools.length === 0 ||
    !turns.some(({ parts }) => parts.some((each) => each.class === "tool-definition"))
  )
    return tools;
  counted("rows whose system message spells the tools out, so that their tools column is not written again");
  return [];
}

/** A list of tools, each as JSON text. */
export function toolTexts(value: unknown, field: string): string[] {
  if (!Array.isArray(value)) throw wrongType("a list of tools", value, field);
  return value.map((tool: unknown, i) => toolText(read(tool, `${field}[${i}]`), `${field}[${i}]`));
}

function toolText(tool: unknown, field: string): string {
  if (!isObject(tool)) throw wrongType("an object that defines a tool", tool, field);
  const { type, function: inner } = tool;
  if (typeof type === "string" && type !== "function" && typeof tool.name !== "string")
    throw new RowProblem("unsupported", `a tool of type ${JSON.stringify(type)}: only functions are`, {
      field,
    });
  const defined = inner ?? tool;
  if (!isObject(defined) || typeof defined.name !== "string" || defined.name === "")
    throw new RowProblem("missing-field", "the tool has no name", {
      field: inner === undefined ? field : `${field}.function`,
    });
  return inner === undefined ? `{"type":"function","function":${jsonTextOf(tool)}}` : jsonTextOf(tool);
}

/** OpenAI's flag says whether several calls may be made at once: data that says no and does is contradictory. */
function checkParallel(row: RowFields, turns: readonly Turn[]): void {
  const name = "parallel_tool_calls";
  const value = row.get(name);
  if (value === undefined) return;
  const field = row.column(name) ?? name;
  if (typeof value !== "boolean") throw wrongType("true or false", value, field);
  const several = turns.findIndex(({ toolCalls = [] }) => toolCalls.length > 1);
  if (!value && several >= 0)
    throw new RowProblem("tool-call", `it is false, and turn ${several + 1} makes several calls at once`, {
      field,
    });
}

/** `tool_calls` of a message: a list, or JSON text of one. */
export function parseToolCalls(value: unknown, field: string, column: string, { ignored }: Told): ToolCall[] {
  const list = read(value, field);
  if (!Array.isArray(list)) throw wrongType("a list of tool calls", list, field);
  return list.map((item: unknown, i) => {
    const at = `${field}[${i}]`;
    const call = read(item, at);
    if (!isObject(call)) throw wrongType("a tool call", call, at);
    const { id, type, function: inner, name: _name, arguments: _arguments, index: _index, ...rest } = call;
    if (typeof type === "string" && type !== "function")
      throw new RowProblem("unsupported", `a call of type ${JSON.stringify(type)}: only functions are`, {
        field: at,
      });
    for (const [key, extra] of Object.entries(rest))
      if (holdsSomething(extra)) ignored(`${column}[].tool_calls[].${key}`);
    const called = inner === undefined || inner === null ? call : inner;
    const made = parseCall(called, called === call ? at : `${at}.function`);
    return id === undefined || id === null ? made : Object.freeze({ id: asText(id, `${at}.id`), ...made });
  });
}

/** A call as an object with a name and arguments, which are an object or JSON text of one. */
export function parseCall(value: unknown, field: string): ToolCall {
  const call = read(value, field);
  if (!isObject(call)) throw wrongType("an object with name and arguments", call, field);
  const name = asText(call.name, `${field}.name`);
  const given = call.arguments ?? call.parameters ?? {};
  const at = `${field}.arguments`;
  const parsed = typeof given === "string" ? argumentsOf(given, at) : given;
  if (!isObject(parsed))
    throw new RowProblem("tool-call", `the arguments of a call are an object, found ${kindOf(parsed)}`, {
      field: at,
    });
  return Object.freeze({ name, arguments: jsonTextOf(parsed) });
}

function argumentsOf(text: string, field: string): unknown {
  // OpenAI's data has the empty text for a call without arguments.
  if (text.trim() === "") return {};
  try {
    return jsonOf(text, field);
  } catch (error) {
    throw new RowProblem("tool-call", `the arguments of a call are no JSON: ${(error as Error).message}`, {
      field,
    });
  }
}

/** ShareGPT's `function_call`: one call or a list of them, as JSON. */
export function parseCallText(value: unknown, field: string): ToolCall[] {
  const read = typeof value === "string" ? (callBlocks(value)?.calls ?? callJson(value, field)) : value;
  return Array.isArray(read)
    ? read.map((call, i) => parseCall(call, `${field}[${i}]`))
    : [parseCall(read, field)];
}

function callJson(text: string, field: string): unknown {
  try {
    return jsonOf(text, field);
  } catch (error) {
    throw new RowProblem("tool-call", `a call is JSON of name and arguments: ${(error as Error).message}`, {
      field,
    });
  }
}

const CALL = /<tool_call>([\s\S]*?)<\/tool_call>/g;

/** Hermes' calls at the end of an assistant's words: the words before them, and the calls. */
interface CallBlocks {
  readonly text: string;
  readonly calls: readonly ToolCall[];
}

/** Undefined where the words have no call, or something that is no call between or behind them. */
export function callBlocks(words: string): CallBlocks | undefined {
  const blocks = [...words.matchAll(CALL)];
  const [first] = blocks;
  if (first === undefined) return undefined;
  if (words.slice(first.index).replace(CALL, "").trim() !== "") return undefined;
  try {
    const calls = blocks.map((block, i) => parseCall(jsonOf(block[1]!.trim(), `call ${i}`), `call ${i}`));
    return { text: words.slice(0, first.index).trimEnd(), calls };
  } catch (error) {
    if (error instanceof RowProblem) return undefined;
    throw error;
  }
}

/** Whether words hold the mark of a call that `callBlocks` makes nothing of. */
export function hasCallMark(words: string): boolean {
  return words.includes("<tool_call>");
}

const RESPONSE = /<tool_response>([\s\S]*?)<\/tool_response>/g;

/** The results that Hermes wraps in <tool_response>; the words themselves where they are not just such. */
export function resultTexts(words: string): string[] {
  const blocks = [...words.matchAll(RESPONSE)];
  if (blocks.length === 0 || words.replace(RESPONSE, "").trim() !== "") return [words];
  return blocks.map((block) => block[1]!.trim());
}
