// Properties: what is written in any container comes back, however the bytes are cut into chunks.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CONTAINER_NAMES, encode, file, type Row } from "../../../../test/row-files.ts";
import { loadExamples } from "../index.ts";
import { type JsonElement, JsonElementSplitter, type JsonFault } from "./json-elements.ts";
import { findDuplicateKey, parseJson } from "./json-text.ts";
import { readLines } from "./lines.ts";

/** Text that means something to one container or another. */
const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 30 }),
  fc.constantFrom(
    '"',
    "\\",
    '\\"',
    "{[",
    "]}",
    ",",
    ":",
    "\r\n",
    "\t",
    "\u2028",
    "\u0000",
    "\ufeff",
    "é",
    "😀",
  ),
  fc.string({ maxLength: 12 }),
);
const words = fc.array(text, { maxLength: 4 }).map((parts) => `x${parts.join("")}`);
const weight = fc.option(fc.double({ min: 0, max: 9, noNaN: true }), { nil: undefined });
const chunkBytes = fc.constantFrom(1, 2, 3, 17, 2 ** 18);

/** A row, and the example that it must become, made here without the code under test. */
const alpacaRow = fc.record({ instruction: words, input: text, output: words, weight }).map((row) => ({
  row: withoutUndefined(row),
  example: {
    kind: "conversation",
    turns: [
      {
        role: "user",
        parts: [
          { class: "instruction", text: row.instruction },
          ...(row.input === "" ? [] : [{ class: "input", text: row.input }]),
        ],
      },
      { role: "assistant", parts: [{ class: "completion", text: row.output }] },
    ],
    ...(row.weight === undefined ? {} : { weight: row.weight }),
  },
}));

const dialogueRow = fc
  .array(fc.tuple(words, words, weight), { minLength: 1, maxLength: 3 })
  .map((exchanges) => ({
    row: {
      messages: exchanges.flatMap(([question, answer, own]) => [
        { role: "user", content: question },
        withoutUndefined({ role: "assistant", content: answer, weight: own }),
      ]),
    },
    example: {
      kind: "conversation",
      turns: exchanges.flatMap(([question, answer, own]) => [
        { role: "user", parts: [{ class: "instruction", text: question }] },
        withoutUndefined({
          role: "assistant",
          parts: [{ class: "completion", text: answer }],
          weight: own,
        }),
      ]),
    },
  }));

const tokenRow = fc
  .array(fc.tuple(fc.nat(), fc.float({ min: 0.5, max: 4, noNaN: true })), { minLength: 1, maxLength: 8 })
  .map((tokens) => ({
    row: { input_ids: tokens.map(([id]) => id), weights: tokens.map(([, value]) => value) },
    example: {
      kind: "tokens",
      inputIds: Int32Array.from(tokens, ([id]) => id),
      weights: Float32Array.from(tokens, ([, value]) => value),
    },
  }));

function withoutUndefined(row: Row): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined));
}

const filesOfRows = fc.oneof(
  ...[alpacaRow, dialogueRow, tokenRow].map((row) =>
    fc.array(row as fc.Arbitrary<{ row: Row; example: unknown }>, { minLength: 1, maxLength: 8 }),
  ),
);

describe("rows written and read again are equal", () => {
  it.each(CONTAINER_NAMES)("%s", async (name) => {
    await fc.assert(
      fc.asyncProperty(filesOfRows, chunkBytes, async (rows, chunk) => {
        // Every row has all columns, as CSV and Parquet need it.
        const columns = [...new Set(rows.flatMap(({ row }) => Object.keys(row)))];
        const full = rows.map(({ row }) => Object.fromEntries(columns.map((key) => [key, row[key]])));
        const path = file(name, encode(name, full));
        const { examples, report } = await loadExamples({ path }, { chunkBytes: chunk });
        expect(examples).toEqual(
          rows.map(({ example }, i) => ({ ...(example as object), source: { file: path, row: i + 1 } })),
        );
        expect(report).toMatchObject({ rows: rows.length, examples: rows.length, skipped: 0 });
      }),
      { numRuns: 60 },
    );
  });
});

function cutInto(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i]!, end));
}

function split(chunks: readonly Buffer[]): { elements: JsonElement[]; fault: JsonFault | undefined } {
  const splitter = new JsonElementSplitter(undefined, 2 ** 30);
  const elements = chunks.flatMap((chunk) => splitter.push(chunk));
  splitter.end();
  return { elements, fault: splitter.fault };
}

describe("the elements of a JSON list", () => {
  it("are those that JSON.parse finds", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.nat(3), fc.array(fc.nat()), (values, indent, cuts) => {
        const bytes = Buffer.from(JSON.stringify(values, null, indent));
        const { elements, fault } = split(cutInto(bytes, cuts));
        expect(fault).toBeUndefined();
        expect(elements.map((element) => JSON.parse(element.bytes!.toString()))).toEqual(
          JSON.parse(bytes.toString()),
        );
        for (const { bytes: found, start, length } of elements) {
          expect(found).toEqual(bytes.subarray(start, start + length));
        }
      }),
    );
  });

  it("and the fault don't depend on the chunks, in any bytes", () => {
    const noise = fc
      .array(fc.constantFrom(...'[[[{}],,:"\\ a1\n'), { maxLength: 40 })
      .map((all) => all.join(""));
    fc.assert(
      fc.property(noise, fc.array(fc.nat()), (content, cuts) => {
        const bytes = Buffer.from(content);
        expect(split(cutInto(bytes, cuts))).toEqual(split([bytes]));
      }),
      { numRuns: 500 },
    );
  });

  it("a prefix of a list is always a fault", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { minLength: 1 }), fc.nat(), (values, at) => {
        const whole = Buffer.from(JSON.stringify(values));
        const prefix = whole.subarray(0, at % whole.length);
        expect(split([prefix]).fault).toBeDefined();
      }),
    );
  });
});

describe("lines", () => {
  it("are those that split finds, with their offsets", async () => {
    const content = fc.array(fc.constantFrom("a", "é", "\n", "\r\n", "\r", " ")).map((all) => all.join(""));
    await fc.assert(
      fc.asyncProperty(content, fc.array(fc.nat()), async (whole, cuts) => {
        const bytes = Buffer.from(whole);
        const found: string[] = [];
        for await (const lines of readLines(each(cutInto(bytes, cuts)), 1000)) {
          for (const line of lines) {
            expect(bytes.subarray(line.start, line.start + line.bytes!.length)).toEqual(line.bytes);
            found.push(line.bytes!.toString());
          }
        }
        const expected = whole.split("\n");
        if (expected.at(-1) === "") expected.pop();
        const ended = whole.endsWith("\n");
        expect(found).toEqual(
          expected.map((line, i) => (ended || i < expected.length - 1 ? line.replace(/\r$/, "") : line)),
        );
      }),
    );
  });
});

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void> {
  yield* items;
}

describe("duplicate keys", () => {
  it("are found by counting exactly where comparing every name finds them", () => {
    const key = fc.constantFrom("a", "b", "é", "__proto__", 'q"', "c:d");
    const { value } = fc.letrec<{ value: string }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom("1", '"x:\\""', "null", '":"', "[]", "{}"),
        fc.array(tie("value"), { maxLength: 3 }).map((items) => `[${items.join(" , ")}]`),
        fc
          .array(fc.tuple(key, tie("value")), { maxLength: 3 })
          .map((all) => `{${all.map(([name, item]) => `${JSON.stringify(name)} : ${item}`).join(",")}}`),
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        const duplicate = findDuplicateKey(json);
        if (duplicate === undefined) expect(parseJson(json)).toEqual(JSON.parse(json));
        else expect(() => parseJson(json)).toThrow(JSON.stringify(duplicate));
      }),
      { numRuns: 1000 },
    );
  });
});
