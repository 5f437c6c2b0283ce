// Where a template wrote tool definitions and calls: as JSON most often, which is found as such, or in words of its own,
// which are found by what changes when the call does.
import { endOfObject, isJsonObject } from "../../json-object.ts";
import type { ToolCall } from "../example.ts";
import { marker } from "./skeleton.ts";

export interface Place {
  readonly start: number;
  readonly end: number;
}

/** Opening braces that are tried around a name. */
const TRIED = 64;

/** Places of a name that are tried. */
const NAMES = 32;

/**
 * The JSON objects around a position, the innermost first.
 * @param from no object begins before it
 */
function* objectsAround(text: string, at: number, from: number): Generator<Place & { value: unknown }> {
  let start = at;
  for (let tried = 0; tried < TRIED; tried++) {
    start = text.lastIndexOf("{", start - 1);
    if (start < from || start < 0) return;
    const end = endOfObject(text, start);
    if (end === undefined || end <= at) continue;
    try {
      yield { start, end, value: JSON.parse(text.slice(start, end)) };
    } catch {
      // A brace of the template's own.
    }
  }
}

/** A text that is the same for all spellings of a JSON value. */
function canonical(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join()}}`;
}

/**
 * A JSON object in a stretch of the text that has the name and of which something holds: of several in each other, the
 * innermost, or the outermost.
 */
function findObject(
  text: string,
  name: string,
  { start: from, end: to }: Place,
  isIt: (value: unknown) => boolean,
  outermost = false,
): Place | undefined {
  const wanted = JSON.stringify(name);
  let at = text.indexOf(wanted, from);
  for (let tried = 0; at >= 0 && at < to && tried < NAMES; tried++) {
    let found: Place | undefined;
    for (const { start, end, value } of objectsAround(text, at, from)) {
      if (!isIt(value)) continue;
      found = { start, end };
      if (!outermost) break;
    }
    if (found !== undefined) return found;
    at = text.indexOf(wanted, at + 1);
  }
  return undefined;
}

/** A tool's definition as a JSON object in a stretch of the text. */
export function findDefinition(text: string, tool: string, stretch: Place): Place | undefined {
  const parsed = JSON.parse(tool) as Readonly<Record<string, unknown>>;
  const inner = isJsonObject(parsed.function) ? parsed.function : parsed;
  const wanted = [parsed, inner].map(canonical);
  return findObject(text, String(inner.name), stretch, (value) => wanted.includes(canonical(value)), true);
}

/** A call as a JSON object with its name and its arguments, whole or as JSON text, in a stretch of the text. */
export function findCall(text: string, call: ToolCall, stretch: Place): Place | undefined {
  const wanted = canonical(JSON.parse(call.arguments));
  return findObject(text, call.name, stretch, (value) => {
    if (!isJsonObject(value)) return false;
    return Object.values(value).some((member) => canonical(member) === wanted || isTextOf(member, wanted));
  });
}

function isTextOf(member: unknown, wanted: string): boolean {
  if (typeof member !== "string") return false;
  try {
    return canonical(JSON.parse(member)) === wanted;
  } catch {
    return false;
  }
}

/**
 * A call in a template's own words: from its name to the last of its arguments.
 * @param render the rendering with another call in this one's place; undefined where the template refuses it
 */
export function findCallWords(
  text: string,
  call: ToolCall,
  render: (other: ToolCall) => string | undefined,
): Place | undefined {
  const name = marker(0);
  const start = render({ ...call, name })?.indexOf(name) ?? -1;
  if (start < 0 || !text.startsWith(call.name, start)) return undefined;
  const end = start + call.name.length;
  const other = render({ ...call, arguments: withMarkers(call.arguments) });
  if (other === undefined || other === text) return { start, end };
  const changed = changedPlace(text, other);
  return { start: Math.min(start, changed.start), end: Math.max(end, changed.end) };
}

/** Arguments of the same names with other values. */
function withMarkers(json: string): string {
  const replaced = Object.keys(JSON.parse(json) as object).map((key, i) => [key, marker(i)] as const);
  return JSON.stringify(Object.fromEntries(replaced));
}

/**
 * A definition in a template's own words: all that changes when its names and descriptions do.
 * @param render the rendering with another tool in this one's place; undefined where the template refuses it
 */
export function findDefinitionWords(
  text: string,
  tool: string,
  render: (other: string) => string | undefined,
): Place | undefined {
  let count = 0;
  const marked = JSON.stringify(
    JSON.parse(tool, (key, value: unknown) =>
      (key === "name" || key === "description") && typeof value === "string" ? marker(count++) : value,
    ),
  );
  const other = render(marked);
  return other === undefined || other === text ? undefined : changedPlace(text, other);
}

/** The stretch of a text outside of what it shares with another at both ends. */
function changedPlace(text: string, other: string): Place {
  let start = 0;
  while (start < text.length && text[start] === other[start]) start++;
  let same = 0;
  const most = Math.min(text.length, other.length) - start;
  while (same < most && text.at(-1 - same) === other.at(-1 - same)) same++;
  return { start, end: text.length - same };
}
