// Files of settings that are hostile, broken or huge: each a clear error, none a hang; and what is asked of good ones.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { assign, ConfigFileError, checkDocument, parseAssignment, readDocument } from "./index.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "config-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string | Uint8Array, set: readonly string[] = []) {
  const file = join(folder, "file.yaml");
  writeFileSync(file, text);
  return readDocument(file, { set: set.map(parseAssignment) });
}

function failure(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigFileError);
    return (error as Error).message.replaceAll(`${folder}/`, "");
  }
  throw new Error("it was taken");
}

describe("limits", () => {
  test("aliases are counted as all that they stand for", () => {
    const levels = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}x]`);
    expect(failure(() => read(`a0: &a0 [x]\n${levels.join("\n")}\n`))).toMatch(
      /^file\.yaml:\d+: holds more than 100,000 values$/,
    );
    expect(read("a: &a [1, 2]\nb: [*a, *a]\n").value).toEqual({
      a: [1, 2],
      b: [
        [1, 2],
        [1, 2],
      ],
    });
    expect(failure(() => read("a: &a [*a]\n"))).toContain("an alias stands for a value that holds the alias");
  });

  test.each([
    ["lists", `a: ${"[".repeat(20_000)}${"]".repeat(20_000)}`],
    ["mappings", Array.from({ length: 500 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
  ])("%s within each other", (_, text) => {
    expect(failure(() => read(text))).toMatch(/deeper within each other than 64|is larger than 256 KiB/);
  });

  test("pieces: quotes, anchors and signs without end", () => {
    for (const text of ['"'.repeat(250_000), "&a *a ".repeat(40_000), "{a: ".repeat(60_000)])
      expect(failure(() => read(text))).toMatch(
        /more than 100,000 names, values and signs|deeper within each other/,
      );
  });

  test("size, bytes that are no text, and devices without an end", () => {
    expect(failure(() => read("a".repeat(2 ** 18 + 1)))).toBe("file.yaml: is larger than 256 KiB");
    expect(failure(() => read(new Uint8Array([0xff, 0xfe, 0x61])))).toBe("file.yaml: is not UTF-8 text");
    expect(failure(() => readDocument("/dev/zero"))).toBe("/dev/zero: is larger than 256 KiB");
    expect(failure(() => readDocument(folder))).toContain("is a folder, not a file");
    expect(failure(() => readDocument(join(folder, "none.yaml")))).toBe("none.yaml: there is no such file");
  });

  test("thousands of keys: unknown ones are counted, equal ones named", () => {
    const keys = Array.from({ length: 10_000 }, (_, i) => `key${i}: 1`).join("\n");
    const message = failure(() => checkDocument(read(keys), z.strictObject({ key: z.number().optional() })));
    expect(message.split("\n")).toHaveLength(21);
    expect(message).toContain("key0: there is no such key; did you mean key?");
    expect(message).toContain("and 9,980 more problems");
    expect(failure(() => read("a: 1\nb: { c: 1, c: 2 }\n"))).toBe("file.yaml:2: the key c comes twice");
  });

  test("a long key is cut where it is quoted", () => {
    const message = failure(() => checkDocument(read(`${"k".repeat(900)}: 1`), z.strictObject({})));
    expect(message.length).toBeLessThan(200);
  });
});

describe("assignments", () => {
  test("set what is there, and make what is missing", () => {
    const { value } = read("data: [{ path: a }]\nloss: {}\n", ["data.0.path=b", "loss.x.y=[1]", "new=null"]);
    expect(value).toEqual({ data: [{ path: "b" }], loss: { x: { y: [1] } }, new: null });
  });

  test.each([
    [
      "data.99999999.path=y",
      "--set: data.99999999: there is no such entry; the list has 1 entry, numbered from 0",
    ],
    ["data.-1=y", "--set: data.-1: there is no such entry; the list has 1 entry, numbered from 0"],
    ["name.first=y", "--set: name: is a single value, without a key first"],
    ["__proto__.polluted=1", "--set: __proto__: there is no such key"],
    ["a..b=1", "--set: a..b=1 is not an assignment"],
    ["=1", "--set: =1 is not an assignment"],
    ["a", "--set: a is not an assignment"],
  ])("%s", (set, message) => {
    expect(failure(() => read("data: [{ path: a }]\nname: x\n", [set]))).toBe(message);
  });

  test("values are YAML within the same limits", () => {
    expect(failure(() => parseAssignment("a=["))).toMatch(/^--set a:1: /);
    expect(failure(() => parseAssignment(`a=${"[".repeat(500)}`))).toMatch(/^--set a/);
    expect(
      failure(
        () =>
          parseAssignment(`${"a.".repeat(100)}a=1`) && assign({}, parseAssignment(`${"a.".repeat(100)}a=1`)),
      ),
    ).toContain("at most 64 keys");
  });

  test("what is set is there, and nothing else changes", () => {
    const key = fc.stringMatching(/^[a-z]{1,3}$/);
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.dictionary(key, fc.integer())),
        fc.tuple(key, key),
        fc.integer(),
        (target, path, value) => {
          const before = structuredClone(target);
          const after = assign(target, { path, value }) as typeof target;
          expect(target).toEqual(before);
          expect(after[path[0]]![path[1]]).toBe(value);
          expect({ ...after, [path[0]]: undefined }).toEqual({ ...before, [path[0]]: undefined });
        },
      ),
    );
  });

  test("a problem of a value that was set says so, in place of a line", () => {
    const document = read("a: 1\nb: 2\n", ["a=x"]);
    expect(failure(() => checkDocument(document, z.strictObject({ a: z.number(), b: z.string() })))).toBe(
      '--set: a: expected a number, found the text "x"\nfile.yaml:2: b: expected a text, found the number 2',
    );
  });
});

describe("problems in words", () => {
  const schema = z.strictObject({
    count: z.int().min(1).optional(),
    share: z.number().gt(0).lt(1).optional(),
    weight: z.union([z.number().min(0), z.literal("auto")]).optional(),
    way: z.enum(["fast", "slow"]).optional(),
    list: z.array(z.string().min(1)).min(1).optional(),
    either: z.union([z.string(), z.strictObject({ task: z.string(), limit: z.int().optional() })]).optional(),
  });
  test.each([
    ["count: 1.5", "count: expected a whole number, found the number 1.5"],
    ["count: 0", "count: should be 1 or more"],
    ["count: .nan", "count: expected a number, found the number NaN"],
    ["share: 1", "share: should be below 1"],
    ["share: .inf", "share: expected a number, found the number Infinity"],
    ["weight: often", 'weight: expected a number or auto, found the text "often"'],
    ["weight: -1", "weight: should be 0 or more"],
    ["way: quick", 'way: expected one of fast, slow, found the text "quick"'],
    ["list: a", 'list: expected a list, found the text "a"'],
    ["list: []", "list: needs 1 or more"],
    ['list: [""]', "list.0: should not be empty"],
    ["either: { limit: 1 }", "either.task: is missing; expected a text"],
    ["either: { task: a, limt: 1 }", "either.limt: there is no such key; did you mean limit?"],
    ["Cuont: 1", "Cuont: there is no such key; did you mean count?"],
    ["either: { task: a, share: 1 }", "either.share: there is no such key; did you mean share?"],
    ["count: 1\ntask: a", "task: there is no such key; did you mean either.task?"],
    ["elephant: 1", "elephant: there is no such key"],
    ["either: 3", "either: expected a text or keys with values, found the number 3"],
    ["count: null", "count: expected a number, found nothing"],
    ["[]", "expected keys with values, found a list of 0"],
    ["", "expected keys with values, found nothing"],
  ])("%s", (text, message) => {
    expect(failure(() => checkDocument(read(text), schema)).replace(/^file\.yaml(:\d+)?: /, "")).toBe(
      message,
    );
  });
});

test("a path through a file", () => {
  mkdirSync(join(folder, "inner"), { recursive: true });
  expect(failure(() => readDocument(join(folder, "file.yaml", "x")))).toContain(
    "a part of its path is a file",
  );
});
