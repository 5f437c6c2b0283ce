// Grammars of JSON Schemas. Witnesses: values that are made to fit a schema, Ajv for texts that the grammar makes, and for
// masks the plain reading of every token by itself.
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { sharedPath } from "../../../test/shared.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import type { JsonObject } from "../../json-object.ts";
import { type Expression, type SchemaGrammar, schemaGrammar, TokenMasks, TokenTree } from "./index.ts";

/** The state behind a text. */
function after({ grammar, root }: SchemaGrammar, text: Uint8Array, from: Expression = root): Expression {
  return text.reduce((state, byte) => grammar.derivative(state, byte), from);
}

function accepts(of: SchemaGrammar, text: string): boolean {
  return of.grammar.nullable(after(of, Buffer.from(text)));
}

/** A schema, with values that fit it in the order of its properties. */
interface Case {
  readonly schema: JsonObject | true;
  readonly value: fc.Arbitrary<unknown>;
}

const leaf: fc.Arbitrary<Case> = fc.oneof(
  fc.constantFrom<Case>(
    { schema: { type: "null" }, value: fc.constant(null) },
    { schema: { type: "boolean", description: "yes or no" }, value: fc.boolean() },
    { schema: { type: "integer" }, value: fc.integer() },
    {
      schema: { type: "number" },
      value: fc.oneof(
        fc.integer(),
        fc
          .float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 })
          .map((x) => Number(x.toFixed(6))),
      ),
    },
    {
      schema: { type: "string" },
      value: fc.string({ unit: "binary" }).filter((text) => !/\p{Cs}/u.test(text)),
    },
    { schema: { type: ["string", "null"] }, value: fc.option(fc.string()) },
    { schema: true, value: fc.jsonValue({ maxDepth: 2, noUnicodeString: false }).filter(isPlainJson) },
  ),
  fc.tuple(fc.nat(3), fc.nat(3)).map(
    ([least, more]): Case => ({
      schema: { type: "string", minLength: least, maxLength: least + more },
      value: fc.string({ unit: "grapheme-ascii", minLength: least, maxLength: least + more }),
    }),
  ),
  fc
    .uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)), {
      minLength: 1,
      maxLength: 4,
    })
    .map((values): Case => ({ schema: { enum: values }, value: fc.constantFrom(...values) })),
  fc.string().map((value): Case => ({ schema: { const: value }, value: fc.constant(value) })),
);

/** Numbers as the grammar writes them: no more digits than float64 holds, no exponent of three digits. */
function isPlainJson(value: unknown): boolean {
  return !/\d{16}|e[+-]?\d{3}/i.test(JSON.stringify(value));
}

function arrayOf({ schema, value }: Case, least: number, more: number): Case {
  return {
    schema: { type: "array", items: schema, minItems: least, maxItems: least + more },
    value: fc.array(value, { minLength: least, maxLength: least + more }),
  };
}

function objectOf(entries: readonly (readonly [string, Case, boolean])[]): Case {
  return {
    schema: {
      type: "object",
      properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
      required: entries.flatMap(([name, , required]) => (required ? [name] : [])),
      additionalProperties: false,
    },
    value: fc
      .tuple(
        ...entries.map(([, { value }, required]) =>
          fc.tuple(value, required ? fc.constant(true) : fc.boolean()),
        ),
      )
      .map((found) =>
        // Names that are whole numbers would be put first.
        Object.fromEntries(entries.flatMap(([name], i) => (found[i]![1] ? [[name, found[i]![0]]] : []))),
      ),
  };
}

const name = fc.stringMatching(/^[a-zé"\\]{1,5}$/).filter((each) => each !== "__proto__");

const { schemas } = fc.letrec<{ schemas: Case }>((tie) => ({
  schemas: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    leaf,
    fc.tuple(tie("schemas"), fc.nat(2), fc.nat(2)).map(([of, least, more]) => arrayOf(of, least, more)),
    fc
      .uniqueArray(fc.tuple(name, tie("schemas"), fc.boolean()), {
        selector: ([key]) => key,
        minLength: 1,
        maxLength: 4,
      })
      .map(objectOf),
    fc.tuple(tie("schemas"), tie("schemas")).map(
      ([a, b]): Case => ({
        schema: { anyOf: [a.schema, b.schema] },
        value: fc.oneof(a.value, b.value),
      }),
    ),
    tie("schemas").map(
      ({ value }): Case => ({
        schema: { type: "object", additionalProperties: { type: "integer" } },
        value: value.map(() => ({ a: 1, b: -2 })),
      }),
    ),
  ),
}));

const PIECES = [
  '{"',
  '":',
  ' "',
  '", "',
  "true",
  "null",
  "[1",
  "]}",
  "é",
  "🙂",
  "ab",
  "12",
  ".5",
  "\\n",
  "\\u00",
  "fals",
];
const VOCABULARY = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...PIECES.map((piece) => Buffer.from(piece)),
  new Uint8Array(),
];
const tree = new TokenTree(VOCABULARY.length, (id) => VOCABULARY[id]);

describe("schemaGrammar", () => {
  it("takes every value that fits, as JSON writes it", () => {
    fc.assert(
      fc.property(
        schemas.chain(({ schema, value }) => fc.tuple(fc.constant(schema), value)),
        ([schema, value]) => {
          const text = JSON.stringify(value);
          const ajv = new Ajv({ strict: false });
          expect(ajv.validate(schema, value)).toBe(true);
          expect([text, accepts(schemaGrammar(schema), text)]).toEqual([text, true]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("makes only values that fit, and masks that are those of each token read by itself", () => {
    fc.assert(
      fc.property(schemas, fc.infiniteStream(fc.nat()), ({ schema }, draws) => {
        const of = schemaGrammar(schema);
        const masks = new TokenMasks(of, tree);
        const constraint = masks.constraint();
        const bytes: number[] = [];
        let state = of.root;
        for (let step = 0; step < 60 && !constraint.complete; step++) {
          const reading = (token: Uint8Array): number =>
            token.length > 0 && after(of, token, state) !== of.grammar.fail ? 1 : 0;
          expect([...constraint.allowed]).toEqual(VOCABULARY.map(reading));
          const allowed = [...constraint.allowed.keys()].filter((id) => constraint.allowed[id] === 1);
          // Closing marks first, so that most walks come to an end.
          const closing = allowed.filter((id) => id < 128 && '"]}'.includes(String.fromCharCode(id)));
          const draw = draws.next().value as number;
          const id = closing.length > 0 && draw % 4 > 0 ? closing[0]! : allowed[draw % allowed.length]!;
          bytes.push(...VOCABULARY[id]!);
          state = after(of, VOCABULARY[id]!, state);
          constraint.accept(id);
        }
        if (!constraint.mayEnd) return;
        const text = Buffer.from(bytes).toString();
        expect(Buffer.from(text)).toEqual(Buffer.from(bytes));
        const value = JSON.parse(text) as unknown;
        expect([text, new Ajv({ strict: false }).validate(schema, value)]).toEqual([text, true]);
      }),
      { numRuns: 60 },
    );
  });

  it("follows references, those to itself among them", () => {
    const schema = {
      $defs: {
        node: {
          type: "object",
          properties: {
            name: { type: "string" },
            next: { anyOf: [{ $ref: "#/$defs/node" }, { type: "null" }] },
          },
          required: ["name", "next"],
          additionalProperties: false,
        },
      },
      $ref: "#/$defs/node",
    };
    const of = schemaGrammar(schema);
    expect(accepts(of, '{"name":"a","next":{"name": "b", "next": null}}')).toBe(true);
    expect(accepts(of, '{"name":"a","next":{"name": "b"}}')).toBe(false);
    const tree = schemaGrammar({ type: "array", items: { $ref: "#" } });
    expect(accepts(tree, "[[],[[]]]")).toBe(true);
    expect(accepts(tree, "[[],[[]]")).toBe(false);
  });

  it("refuses what it can't hold a text to, by name", () => {
    const messages = [
      { type: "string", pattern: "a+" },
      { type: "integer", minimum: 3 },
      { type: "object", properties: { a: { type: "string", format: "date" } } },
      { oneOf: [{ type: "string" }] },
      { $ref: "#/$defs/none" },
      { $ref: "https://example.org/schema" },
      { $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } }, $ref: "#/$defs/a" },
      { type: "object", properties: { a: { $ref: "#" } }, required: ["a"] },
      { type: "object", properties: { a: true }, required: ["b"] },
      { type: "array", minItems: 3, maxItems: 2 },
      { type: "text" },
      { type: "string", enum: [1] },
      { properties: {} },
      "schema",
      false,
    ].map((schema) => {
      try {
        schemaGrammar(schema);
        return "taken";
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(messages).toMatchInlineSnapshot(`
      [
        "schema: #: pattern is not supported",
        "schema: #: minimum is not supported",
        "schema: #/properties/a: format is not supported",
        "schema: #: oneOf without type is not supported",
        "schema: #/$defs/none: $ref leads to nothing",
        "schema: #: $ref leads out of the schema, which is not supported",
        "schema: #/$defs/a: $ref leads back to itself",
        "schema: #: no value fits it that ends, since each holds another of its kind",
        "schema: #: required names "b", which is no property",
        "schema: #: minItems is more than maxItems",
        "schema: #: type "text" is not JSON's",
        "schema: #: no value fits",
        "schema: #: properties without type is not supported",
        "schema: #: is no schema that a value can fit",
        "schema: #: is no schema that a value can fit",
      ]
    `);
  });
});

const tokenizers = ["qwen2.5", "gpt2"].map((each) => sharedPath("tokenizers", each));
const stories = sharedPath("models", "stories15M");
needs("shared", stories).describe("TokenMasks of real tokenizers", () => {
  it.each([...tokenizers, stories])("are those of each token read by itself: %s", async (path) => {
    const tokenizer = await loadTokenizer(path!);
    const bytesOf = (id: number): Uint8Array | undefined =>
      tokenizer.specialIds.has(id) ? undefined : tokenizer.bytesOf(id);
    const of = schemaGrammar({
      type: "object",
      properties: { name: { type: "string" }, age: { type: "integer" } },
      required: ["name"],
      additionalProperties: false,
    });
    const masks = new TokenMasks(of, new TokenTree(tokenizer.vocabularySize, bytesOf));
    for (const text of ["", '{"na', '{"name": "A']) {
      const state = after(of, Buffer.from(text));
      const mask = masks.mask(state);
      for (let id = 0; id < tokenizer.vocabularySize; id += 7) {
        const bytes = bytesOf(id) ?? new Uint8Array();
        const expected = bytes.length > 0 && after(of, bytes, state) !== of.grammar.fail ? 1 : 0;
        if (mask[id] !== expected) expect([text, id, mask[id]]).toEqual([text, id, expected]);
      }
      expect(mask.includes(1)).toBe(true);
    }
  });
});
