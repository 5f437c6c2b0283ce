import { EventEmitter, once } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { openDoor } from "./door.ts";
import { inkOf, rewritten } from "./ink.ts";
import { lineOutput, linePrompt } from "./line-output.ts";
import { harmless, harmlessJson, visible } from "./visible.ts";

// A stream of its own stands for the terminal; the door stays open for the rest of this file.
const written: string[] = [];
const stream = { write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream;

/** What a terminal obeys or is turned by, but for line breaks and tabs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const hostile = fc.string({
  unit: fc.oneof(
    fc.integer({ min: 0, max: 0x9f }).map((code) => String.fromCharCode(code)),
    fc.constantFrom(
      "\u202e",
      "\u2066",
      "\u061c",
      "\x1b[2J",
      "\x1b]0;title\x07",
      "é",
      "語",
      "\ufdd0",
      "\ufdd1",
    ),
  ),
});

test("nothing that a terminal obeys is left, and all else stays", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      expect(harmless(text)).not.toMatch(OBEYED);
      expect(visible(text)).not.toMatch(OBEYED);
      expect(harmless("two\nlines\tof é, 語 and 👩‍🚀")).toBe("two\nlines\tof é, 語 and 👩‍🚀");
    }),
  );
});

test("JSON stays the same value, and has no such character in it", () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.dictionary(hostile, hostile)), (value) => {
      const text = harmlessJson(value, 2);
      expect(text).not.toMatch(OBEYED);
      expect(JSON.parse(text)).toEqual(value);
    }),
  );
});

test("behind the door, only our own sequences reach the terminal", () => {
  openDoor([stream]);
  const ink = inkOf(true);
  fc.assert(
    fc.property(hostile, (text) => {
      written.length = 0;
      stream.write(`${ink.red("error:")} ${text} ${ink.dim(text)}${rewritten(text)}`);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
      const ours = written[0]!.replaceAll(/\u001b\[(?:\d+m|[GK])/g, "");
      // A name may look like one of ours: then it has lost its escape character.
      expect(ours).not.toMatch(OBEYED);
      const named = harmless(text);
      expect(written[0]).toBe(
        `\u001b[31merror:\u001b[39m ${named} \u001b[2m${named}\u001b[22m\u001b[G${named}\u001b[K`,
      );
    }),
  );
});

test("a line that is typed is drawn by readline's own cursor movements, as wide as the terminal", async () => {
  const bytes: unknown[] = [];
  const terminal = Object.assign(new EventEmitter(), {
    columns: 20,
    write: (chunk: unknown) => bytes.push(chunk) > 0,
  }) as unknown as NodeJS.WriteStream;
  const input = new PassThrough();
  const prompt = linePrompt(inkOf(true).bold("? "));
  const reader = createInterface({ input, output: lineOutput(terminal), terminal: true, prompt });
  reader.prompt();
  const line = once(reader, "line");
  input.write("abc\n");
  expect(await line).toEqual(["abc"]);
  reader.close();
  expect(bytes.every((chunk) => chunk instanceof Uint8Array)).toBe(true);
  const drawn = Buffer.concat(bytes as Uint8Array[]).toString();
  expect(drawn).toContain("\u001b[1m? ");
  // The line begins in the third column, behind two of the prompt.
  expect(drawn).toContain("\u001b[3G");
  expect(drawn).not.toMatch(/[␀-␟␍]/);
});
