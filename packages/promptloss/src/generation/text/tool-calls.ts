// How a model's chat template writes an assistant's calls of functions: found out by a conversation with calls of known
// names. From that follow what generation may be held to, and how calls are read from what was generated.
import type { ToolCall } from "../../data/example.ts";
import { plainTurn } from "../../data/rows/formats/turns.ts";
import type { Template } from "../../data/templates/index.ts";
import { TemplateError } from "../../data/templates/index.ts";
import { endOfObject, isJsonObject } from "../../json-object.ts";
import type { TokenConstraint } from "../decoding/constraint.ts";
import { GenerationError } from "../errors.ts";
import { compileSchema, Grammar, type SchemaGrammar, type TokenMasks } from "../grammar/index.ts";

/** A function that may be called. */
export interface ToolFunction {
  readonly name: string;
  /** The JSON Schema of its arguments; any object where left out. */
  readonly parameters?: unknown;
}

/** The texts around a call's name and arguments. */
export interface CallForm {
  readonly begin: string;
  readonly middle: string;
  /** Between the arguments of a call and the name of the next; undefined where a template writes one call only. */
  readonly between: string | undefined;
  readonly end: string;
}

const PROBES = ["probe_first_call", "probe_second_call"] as const;
const ARGUMENTS = /\{\s*"probe_key"\s*:\s*"probe_value"\s*\}/g;

function probe(count: number): readonly ToolCall[] {
  return PROBES.slice(0, count).map((name, i) => ({
    id: `call${i}0000`,
    name,
    arguments: '{"probe_key":"probe_value"}',
  }));
}

/** What a template writes for an assistant that calls, without its end. */
function written(template: Template, toolCalls: readonly ToolCall[]): string | undefined {
  const tools = toolCalls.map(({ name }) =>
    JSON.stringify({
      type: "function",
      function: { name, description: "?", parameters: { type: "object", properties: {} } },
    }),
  );
  try {
    const turns = [plainTurn("user", "?"), { ...plainTurn("assistant", ""), toolCalls }];
    const [rendering] = template.render(
      { kind: "conversation", turns, tools, source: { file: "probe", row: 1 } },
      "last",
    );
    const target = rendering?.targets.at(-1);
    if (rendering === undefined || target === undefined) return undefined;
    const end = rendering.spans.find((span) => span.class === "end" && span.start >= target.start);
    return rendering.text.slice(target.start, end?.start ?? target.end);
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

const forms = new WeakMap<Template, CallForm | "none">();

/**
 * Found once for a template. Undefined for one that writes no calls, or whose calls are no JSON objects with a name and
 * arguments.
 */
export function callForm(template: Template): CallForm | undefined {
  const known = forms.get(template);
  if (known !== undefined) return known === "none" ? undefined : known;
  const form = foundCallForm(template);
  forms.set(template, form ?? "none");
  return form;
}

function foundCallForm(template: Template): CallForm | undefined {
  const one = written(template, probe(1));
  const found = one === undefined ? undefined : placesOf(one);
  if (one === undefined || found?.length !== 1) return undefined;
  const [{ name, from, to }] = found as [CallPlace];
  const form = {
    begin: one.slice(0, name),
    middle: one.slice(name + PROBES[0].length, from),
    between: undefined,
    end: one.slice(to),
  };
  if (!form.begin.includes("{") || (!form.middle.endsWith(":") && !/:\s*$/.test(form.middle)))
    return undefined;
  const two = written(template, probe(2));
  const [first, second] = (two === undefined ? undefined : placesOf(two)) ?? [];
  return second === undefined ? form : { ...form, between: two!.slice(first!.to, second.name) };
}

interface CallPlace {
  readonly name: number;
  readonly from: number;
  readonly to: number;
}

function placesOf(text: string): CallPlace[] | undefined {
  const places = Array.from(text.matchAll(ARGUMENTS), (found, i) => ({
    name: text.indexOf(PROBES[i]!),
    from: found.index,
    to: found.index + found[0].length,
  }));
  return places.every(({ name, from }) => name >= 0 && name < from) ? places : undefined;
}

/**
 * The texts of calls of some functions.
 * @param several whether more than one may be called at once
 * @throws {GenerationError} for parameters that generation can't be held to
 */
export function callsGrammar(
  form: CallForm,
  functions: readonly ToolFunction[],
  { several }: { several: boolean },
): SchemaGrammar {
  const grammar = new Grammar();
  const call = grammar.choice(
    ...functions.map(({ name, parameters }) => {
      const schema = parameters ?? { type: "object" };
      const fits = compileSchema(grammar, schema, `tools.${name}.parameters`);
      return grammar.sequence(grammar.text(name), grammar.text(form.middle), fits);
    }),
  );
  const more =
    several && form.between !== undefined
      ? grammar.repeat(grammar.sequence(grammar.text(form.between), call), 0, MOST_CALLS - 1)
      : grammar.empty;
  const root = grammar.sequence(grammar.text(form.begin), call, more, grammar.text(form.end));
  return { grammar, root };
}

/** Words until the mark of a call, and from there calls that fit. */
export class AutoCalls {
  readonly #form: CallForm;
  readonly #mark: Buffer;

  private constructor(form: CallForm, mark: string) {
    this.#form = form;
    this.#mark = Buffer.from(mark);
  }

  /** Undefined for calls that begin with no mark. */
  static of(form: CallForm): AutoCalls | undefined {
    const mark = callMark(form);
    return mark === "" ? undefined : new AutoCalls(form, mark);
  }

  /** What follows the mark. @throws {GenerationError} as {@link callsGrammar} */
  grammar(functions: readonly ToolFunction[], options: { several: boolean }): SchemaGrammar {
    const { begin } = this.#form;
    const mark = this.#mark.toString();
    const from = begin.lastIndexOf(mark, begin.indexOf("{")) + mark.length;
    return callsGrammar({ ...this.#form, begin: begin.slice(from) }, functions, options);
  }

  /** @param masks of {@link grammar} */
  constraint(masks: TokenMasks): TokenConstraint {
    return new AutoConstraint(this.#mark, masks);
  }
}

class AutoConstraint implements TokenConstraint {
  readonly #mark: Buffer;
  readonly #masks: TokenMasks;
  readonly #free: Uint8Array;
  /** The last bytes, where the mark may begin. */
  #tail: Buffer = Buffer.alloc(0);
  /** Once the mark has come. */
  #held: TokenConstraint | undefined;

  constructor(mark: Buffer, masks: TokenMasks) {
    this.#mark = mark;
    this.#masks = masks;
    this.#free = masks.all;
  }

  get allowed(): Uint8Array {
    return this.#held?.allowed ?? this.#free;
  }

  get mayEnd(): boolean {
    return this.#held?.mayEnd ?? true;
  }

  get complete(): boolean {
    return this.#held?.complete ?? false;
  }

  accept(id: number): void {
    if (this.#held !== undefined) {
      this.#held.accept(id);
      return;
    }
    this.#tail = Buffer.concat([this.#tail, this.#masks.bytesOf(id)]);
    const at = this.#tail.indexOf(this.#mark);
    // What a token has behind the mark may be no call: then the model says what it wants.
    if (at >= 0) this.#held = this.#masks.constraint(this.#tail.subarray(at + this.#mark.length));
    const kept = this.#mark.length - 1;
    this.#tail = at >= 0 ? Buffer.alloc(0) : this.#tail.subarray(Math.max(0, this.#tail.length - kept));
  }
}

/** Calls at once. */
const MOST_CALLS = 16;

export interface ReadCalls {
  /** What was said before the calls. */
  readonly content: string;
  readonly calls: readonly { readonly name: string; readonly arguments: string }[];
}

/** What stands before the JSON of a call, on its line or the one before: "<tool_call>"; empty for JSON alone. */
export function callMark({ begin }: CallForm): string {
  return begin.slice(0, begin.indexOf("{")).trim().split("\n").at(-1)!.trim();
}

/** The calls in a generated text; undefined where there are none that can be read whole. */
export function readCalls(text: string, form: CallForm, names: ReadonlySet<string>): ReadCalls | undefined {
  const mark = callMark(form);
  const start = mark === "" ? text.length - text.trimStart().length : text.indexOf(mark);
  if (start < 0 || (mark === "" && text[start] !== "{")) return undefined;
  const calls: { name: string; arguments: string }[] = [];
  let at = start + mark.length;
  for (;;) {
    const from = text.indexOf("{", at);
    const to = from < 0 ? undefined : endOfObject(text, from);
    if (to === undefined) break;
    const call = callOf(text.slice(from, to), names);
    if (call === undefined) return undefined;
    calls.push(call);
    at = to;
  }
  return calls.length === 0 ? undefined : { content: text.slice(0, start).trim(), calls };
}

function callOf(text: string, names: ReadonlySet<string>): { name: string; arguments: string } | undefined {
  try {
    const { name, arguments: given, parameters } = JSON.parse(text) as Record<string, unknown>;
    const values = given ?? parameters ?? {};
    if (typeof name !== "string" || !names.has(name) || !isJsonObject(values)) return undefined;
    return { name, arguments: JSON.stringify(values) };
  } catch {
    return undefined;
  }
}

/** @throws {GenerationError} where the template has no form for calls */
export function checkedCallForm(template: Template): CallForm {
  const form = callForm(template);
  if (form === undefined)
    throw new GenerationError("tools", "the model's template writes no calls of functions as JSON", {
      hint: "use a model whose chat template knows tools",
    });
  return form;
}
