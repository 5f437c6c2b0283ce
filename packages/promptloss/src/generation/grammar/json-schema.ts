// JSON Schemas → grammars of the JSON texts that fit them. The texts are those that models write: properties in the order
// of the schema, one space at most behind a comma or a colon. Every text of the grammar fits the schema; what the grammar
// can't hold a text to is refused, by the keyword's name.
import { isJsonObject, type JsonObject } from "../../json-object.ts";
import { GenerationError } from "../errors.ts";
import { type Expression, Grammar } from "./expression.ts";

/** Keywords that say nothing of which values fit. */
const ANNOTATIONS = new Set([
  "$schema",
  "$id",
  "$comment",
  "$defs",
  "definitions",
  "title",
  "description",
  "default",
  "examples",
  "deprecated",
  "readOnly",
  "writeOnly",
]);

const TYPE_KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "minItems", "maxItems"],
  string: ["minLength", "maxLength"],
  number: [],
  integer: [],
  boolean: [],
  null: [],
};

/** Keywords that stand beside annotations alone. */
const WHOLE = ["$ref", "anyOf", "allOf"] as const;

/** Digits of a number's whole part and of its fraction: what float64 holds. */
const DIGITS = 15;

/** The most that a count of items or characters may be: each is a state of its own. */
const MOST_COUNTED = 10_000;

/** Characters of a property's name or of a value that is given. */
const LONGEST_LITERAL = 1000;

export interface SchemaGrammar {
  readonly grammar: Grammar;
  readonly root: Expression;
}

/**
 * The texts of the values that fit a schema.
 * @param field the request's name for the schema, for errors
 * @throws {GenerationError} for what is no schema, and keywords that are not supported
 */
export function schemaGrammar(schema: unknown, field = "schema"): SchemaGrammar {
  const grammar = new Grammar();
  const root = compileSchema(grammar, schema, field);
  return { grammar, root };
}

/** The same as a part of a grammar that may have several schemas; `field` tells their rules apart. */
export function compileSchema(grammar: Grammar, schema: unknown, field: string): Expression {
  const root = new Compiler(grammar, schema, field).named("#");
  const [endless] = grammar.endless();
  if (endless !== undefined)
    throw new GenerationError(
      field,
      `${endless.slice(field.length + 1)}: no value fits it that ends, since each holds another of its kind`,
    );
  return root;
}

class Compiler {
  readonly #grammar: Grammar;
  readonly #schema: unknown;
  readonly #field: string;

  constructor(grammar: Grammar, schema: unknown, field: string) {
    this.#grammar = grammar;
    this.#schema = schema;
    this.#field = field;
  }

  /** The schema at a JSON pointer, as a rule of the grammar. @param open references that are being followed */
  named(pointer: string, open: ReadonlySet<string> = new Set()): Expression {
    if (open.has(pointer)) throw this.#problem(pointer, "$ref leads back to itself");
    const rule = `${this.#field} ${pointer}`;
    if (!this.#grammar.has(rule)) {
      // Until it is known, a schema inside it may refer to it.
      this.#grammar.define(rule, this.#grammar.fail);
      const found = this.#at(pointer);
      this.#grammar.define(rule, this.#value(found, pointer, new Set([...open, pointer])));
    }
    return this.#grammar.reference(rule);
  }

  #value(schema: unknown, at: string, open: ReadonlySet<string>): Expression {
    const g = this.#grammar;
    if (schema === true) return this.#anything();
    if (!isJsonObject(schema)) throw this.#problem(at, "is no schema that a value can fit");
    const keywords = Object.keys(schema).filter((key) => !ANNOTATIONS.has(key));
    const whole = WHOLE.find((key) => keywords.includes(key));
    if (whole !== undefined) {
      const more = keywords.find((key) => key !== whole);
      if (more !== undefined) throw this.#problem(at, `${more} beside ${whole} is not supported`);
      return this.#whole(whole, schema, at, open);
    }
    if ("const" in schema || "enum" in schema) return this.#literals(schema, keywords, at);
    const types = typesOf(schema);
    if (types === undefined) {
      if (keywords.length > 0) throw this.#problem(at, `${keywords[0]} without type is not supported`);
      return this.#anything();
    }
    const known = new Set(["type", ...types.flatMap((type) => TYPE_KEYWORDS[type] ?? [])]);
    const unknown = keywords.find((key) => !known.has(key));
    if (unknown !== undefined) throw this.#problem(at, `${unknown} is not supported`);
    return g.choice(...types.map((type) => this.#typed(type, schema, at)));
  }

  #whole(key: (typeof WHOLE)[number], schema: JsonObject, at: string, open: ReadonlySet<string>): Expression {
    const value = schema[key];
    if (key === "$ref") {
      if (typeof value !== "string" || !value.startsWith("#"))
        throw this.#problem(at, "$ref leads out of the schema, which is not supported");
      return this.named(value, open);
    }
    if (!Array.isArray(value) || value.length === 0) throw this.#problem(at, `${key} is no list of schemas`);
    if (key === "allOf" && value.length > 1)
      throw this.#problem(at, "allOf of several schemas is not supported");
    return this.#grammar.choice(...value.map((each, i) => this.#value(each, `${at}/${key}/${i}`, open)));
  }

  #literals(schema: JsonObject, keywords: readonly string[], at: string): Expression {
    const more = keywords.find((key) => !["type", "enum", "const"].includes(key));
    if (more !== undefined) throw this.#problem(at, `${more} beside enum or const is not supported`);
    if ("enum" in schema && !Array.isArray(schema.enum)) throw this.#problem(at, "enum is no list");
    const listed = "enum" in schema ? (schema.enum as unknown[]) : [schema.const];
    const types = typesOf(schema);
    const fitting = listed.filter(
      (value) =>
        (types === undefined || types.some((type) => hasType(value, type))) &&
        (!("const" in schema) || JSON.stringify(value) === JSON.stringify(schema.const)),
    );
    if (fitting.length === 0) throw this.#problem(at, "no value fits");
    return this.#grammar.choice(...fitting.map((value) => this.#literal(JSON.stringify(value), at)));
  }

  /** A text as it is. @throws {GenerationError} for one too long to be followed byte by byte */
  #literal(text: string, at: string): Expression {
    if (text.length > LONGEST_LITERAL)
      throw this.#problem(
        at,
        `a name or value has ${text.length} characters, and ${LONGEST_LITERAL} are the most`,
      );
    return this.#grammar.text(text);
  }

  #typed(type: string, schema: JsonObject, at: string): Expression {
    const g = this.#grammar;
    switch (type) {
      case "null":
        return g.text("null");
      case "boolean":
        return g.choice(g.text("true"), g.text("false"));
      case "integer":
        return this.#integer();
      case "number":
        return this.#number();
      case "string":
        return this.#string(...this.#counts(schema, "minLength", "maxLength", at));
      case "array":
        return this.#array(schema, at);
      case "object":
        return this.#object(schema, at);
      default:
        throw this.#problem(at, `type ${JSON.stringify(type)} is not JSON's`);
    }
  }

  #array(schema: JsonObject, at: string): Expression {
    const g = this.#grammar;
    const [least, most] = this.#counts(schema, "minItems", "maxItems", at);
    const item =
      schema.items === undefined
        ? this.#anything()
        : schema.items === false
          ? g.fail
          : this.#value(schema.items, `${at}/items`, new Set());
    return g.sequence(g.text("["), this.#listed(item, least, most), g.text("]"));
  }

  /** Items with commas between them. */
  #listed(item: Expression, least: number, most: number): Expression {
    const g = this.#grammar;
    if (most === 0) return g.empty;
    const more = g.repeat(g.sequence(this.#comma(), item), Math.max(0, least - 1), most - 1);
    const some = g.sequence(item, more);
    return least === 0 ? g.optional(some) : some;
  }

  #object(schema: JsonObject, at: string): Expression {
    const g = this.#grammar;
    const { properties = {}, required = [], additionalProperties: more } = schema;
    if (!isJsonObject(properties)) throw this.#problem(at, "properties is no object");
    if (!Array.isArray(required)) throw this.#problem(at, "required is no list");
    const names = Object.keys(properties);
    const missing = required.find((name) => !names.includes(name as string));
    if (missing !== undefined)
      throw this.#problem(at, `required names ${JSON.stringify(missing)}, which is no property`);
    if (names.length === 0) {
      const value =
        more === undefined || more === true
          ? this.#anything()
          : more === false
            ? g.fail
            : this.#value(more, `${at}/additionalProperties`, new Set());
      const member = g.sequence(this.#string(0, Number.POSITIVE_INFINITY), this.#colon(), value);
      return g.sequence(g.text("{"), this.#listed(member, 0, Number.POSITIVE_INFINITY), g.text("}"));
    }
    // Texts without others fit a schema that allows them.
    if (isJsonObject(more))
      throw this.#problem(at, "additionalProperties beside properties is not supported");
    let [begun, fresh] = [g.empty, g.empty];
    for (const name of names.reverse()) {
      const value = this.#value(properties[name], `${at}/properties/${name}`, new Set());
      const member = g.sequence(this.#literal(JSON.stringify(name), at), this.#colon(), value, begun);
      const [first, next] = [member, g.sequence(this.#comma(), member)];
      const optional = !required.includes(name);
      fresh = optional ? g.choice(first, fresh) : first;
      begun = optional ? g.choice(next, begun) : next;
    }
    return g.sequence(g.text("{"), fresh, g.text("}"));
  }

  #counts(schema: JsonObject, low: string, high: string, at: string): [least: number, most: number] {
    const { [low]: least = 0, [high]: most = Number.POSITIVE_INFINITY } = schema;
    for (const [key, value] of [
      [low, least],
      [high, most],
    ] as const)
      if (
        value !== Number.POSITIVE_INFINITY &&
        !(Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MOST_COUNTED)
      )
        throw this.#problem(at, `${key} is no whole number from 0 to ${MOST_COUNTED}`);
    if (Number(least) > Number(most)) throw this.#problem(at, `${low} is more than ${high}`);
    return [Number(least), Number(most)];
  }

  #comma(): Expression {
    const g = this.#grammar;
    return g.sequence(g.text(","), g.optional(g.text(" ")));
  }

  #colon(): Expression {
    const g = this.#grammar;
    return g.sequence(g.text(":"), g.optional(g.text(" ")));
  }

  /** Counted in characters, as the schema counts them. */
  #string(least: number, most: number): Expression {
    const g = this.#grammar;
    return g.sequence(g.text('"'), g.repeat(this.#character(), least, most), g.text('"'));
  }

  /** A character of a string: UTF-8, or an escape of one that is no half of a pair. */
  #character(): Expression {
    const g = this.#grammar;
    if (!g.has(CHARACTER)) g.define(CHARACTER, characterOf(g));
    return g.reference(CHARACTER);
  }

  #integer(): Expression {
    const g = this.#grammar;
    const digit = g.bytes([0x30, 0x39]);
    const whole = g.choice(g.text("0"), g.sequence(g.bytes([0x31, 0x39]), g.repeat(digit, 0, DIGITS - 1)));
    return g.sequence(g.optional(g.text("-")), whole);
  }

  #number(): Expression {
    const g = this.#grammar;
    const digit = g.bytes([0x30, 0x39]);
    const fraction = g.sequence(g.text("."), g.repeat(digit, 1, DIGITS));
    const sign = g.optional(g.bytes([0x2b, 0x2b], [0x2d, 0x2d]));
    const exponent = g.sequence(g.bytes([0x45, 0x45], [0x65, 0x65]), sign, g.repeat(digit, 1, 2));
    return g.sequence(this.#integer(), g.optional(fraction), g.optional(exponent));
  }

  #anything(): Expression {
    const g = this.#grammar;
    if (!g.has(ANYTHING)) {
      const own = g.reference(ANYTHING);
      g.define(ANYTHING, g.fail);
      const member = g.sequence(this.#string(0, Number.POSITIVE_INFINITY), this.#colon(), own);
      const list = (of: Expression): Expression => this.#listed(of, 0, Number.POSITIVE_INFINITY);
      g.define(
        ANYTHING,
        g.choice(
          ...["null", "boolean", "number", "string"].map((type) => this.#typed(type, {}, "#")),
          g.sequence(g.text("["), list(own), g.text("]")),
          g.sequence(g.text("{"), list(member), g.text("}")),
        ),
      );
    }
    return g.reference(ANYTHING);
  }

  /** @throws {GenerationError} where the schema has nothing there */
  #at(pointer: string): unknown {
    const keys = pointer
      .split("/")
      .slice(1)
      .map((key) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~"));
    let found: unknown = this.#schema;
    for (const key of keys)
      found =
        typeof found === "object" && found !== null && Object.hasOwn(found, key)
          ? (found as Record<string, unknown>)[key]
          : undefined;
    if (found === undefined) throw this.#problem(pointer, "$ref leads to nothing");
    return found;
  }

  #problem(at: string, message: string): GenerationError {
    return new GenerationError(this.#field, `${at}: ${message}`);
  }
}

/** Names of rules that no pointer has. */
const CHARACTER = "a character";
const ANYTHING = "any value";

function characterOf(g: Grammar): Expression {
  const tail = g.bytes([0x80, 0xbf]);
  const hex = g.bytes([0x30, 0x39], [0x41, 0x46], [0x61, 0x66]);
  // The first two digits of a code that is no surrogate: not D8 to DF.
  const lead = g.choice(
    g.sequence(g.bytes([0x30, 0x39], [0x41, 0x43], [0x45, 0x46], [0x61, 0x63], [0x65, 0x66]), hex),
    g.sequence(g.bytes([0x44, 0x44], [0x64, 0x64]), g.bytes([0x30, 0x37])),
  );
  const plain = ['"', "\\", "/", "b", "f", "n", "r", "t"].map((each) => each.charCodeAt(0));
  return g.choice(
    // Neither control characters nor the quotation mark nor the backslash.
    g.bytes([0x20, 0x21], [0x23, 0x5b], [0x5d, 0x7f]),
    g.sequence(g.bytes([0xc2, 0xdf]), tail),
    g.sequence(g.bytes([0xe0, 0xe0]), g.bytes([0xa0, 0xbf]), tail),
    g.sequence(g.bytes([0xe1, 0xec], [0xee, 0xef]), tail, tail),
    g.sequence(g.bytes([0xed, 0xed]), g.bytes([0x80, 0x9f]), tail),
    g.sequence(g.bytes([0xf0, 0xf0]), g.bytes([0x90, 0xbf]), tail, tail),
    g.sequence(g.bytes([0xf1, 0xf3]), tail, tail, tail),
    g.sequence(g.bytes([0xf4, 0xf4]), g.bytes([0x80, 0x8f]), tail, tail),
    g.sequence(g.text("\\"), g.bytes(...plain.map((byte) => [byte, byte] as const))),
    g.sequence(g.text("\\u"), lead, hex, hex),
  );
}

function typesOf({ type }: JsonObject): readonly string[] | undefined {
  return type === undefined ? undefined : ([type].flat() as string[]);
}

function hasType(value: unknown, type: string): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isJsonObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}
