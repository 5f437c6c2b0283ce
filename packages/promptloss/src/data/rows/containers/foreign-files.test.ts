// Files as public bug reports have them: whole, but written by other hands.
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { failure, file, jsonl, read, temporaryFolder } from "../../../../test/row-files.ts";
import type { Example } from "../../example.ts";
import { loadExamples } from "../read-examples.ts";
import { decodeText, readTextFile } from "../text-file.ts";
import { guessDelimiter } from "./csv.ts";

const alpaca = { instruction: "Q", input: "", output: "A" };

/** The words of each example, joined. */
function said(examples: readonly Example[]): string[] {
  return examples.map((example) =>
    example.kind === "conversation"
      ? example.turns.map(({ parts }) => parts.map(({ text }) => text).join("+")).join("|")
      : "",
  );
}

describe("Parquet", () => {
  it("has pages without values, behind which a row goes on", async () => {
    const golden = readFileSync(new URL("../../../../test/goldens/rows/empty-page.parquet", import.meta.url));
    const examples = await read("rows.parquet", golden);
    expect(said(examples)).toEqual(Array.from({ length: 50 }, (_, i) => `Q${i}|A${i}`));
  });
});

describe("quotes in CSV", () => {
  it("are text where a cell doesn't start with one, as pandas reads them", async () => {
    const content = 'instruction,input,output\n5" pipe,,It is 5" wide\nSay hi,"a, ""b""",Hi\n';
    expect(said(await read("rows.csv", content))).toEqual(['5" pipe|It is 5" wide', 'Say hi+a, "b"|Hi']);
    const tabs = 'instruction\tinput\toutput\nSay "hi" now\t\tHi\n';
    expect(said(await read("rows.tsv", tabs))).toEqual(['Say "hi" now|Hi']);
  });

  it("before text at the start of a cell make a bad row, and the rows behind it are read", async () => {
    const content =
      'instruction,output\n"Hello" she said,A\n"""Hello"" she said",B\n"He said ""hi"", ok","""C"""\n';
    const { reason, row, message, hint } = await failure(read("rows.csv", content));
    expect([reason, row]).toEqual(["invalid-csv", 1]);
    expect(message).toMatch(/text stands behind the closing quote of a cell/);
    expect(hint).toMatch(/quotes: false/);
    const path = file("rows.csv", content);
    const { examples } = await loadExamples({ path }, { onBadRow: "skip" });
    expect(said(examples)).toEqual(['"Hello" she said|B', 'He said "hi", ok|"C"']);
  });

  it("are text everywhere with quotes: false", async () => {
    const content = 'instruction\toutput\n"Hello" she said\t"A\nB\t"C"\n';
    expect(said(await read("rows.tsv", content, { quotes: false }))).toEqual([
      '"Hello" she said|"A',
      'B|"C"',
    ]);
    const error = await failure(read("rows.jsonl", jsonl(alpaca), { quotes: false }));
    expect([error.reason, error.field]).toEqual(["invalid-option", "quotes"]);
  });

  it("that are never closed are told with the option", async () => {
    const error = await failure(read("rows.tsv", 'instruction\toutput\n"A\tB\nC\tD\n'));
    expect([error.reason, error.hint]).toEqual(["truncated", expect.stringContaining("quotes: false")]);
  });
});

describe("a hundred thousand columns", () => {
  const names = Array.from({ length: 100_000 }, (_, i) => `c${i}`);

  it("are read, and told in a few names", async () => {
    const content = `instruction,output,${names.join()}\nQ,A,${names.join()}\n`;
    const { examples, report } = await loadExamples({ path: file("rows.csv", content) });
    expect([said(examples), report.ignoredColumns.length]).toEqual([["Q|A"], 100_000]);
    const error = await failure(read("rows.csv", `${names.join()}\n${names.join()}\n`));
    expect([error.reason, error.message.length < 1000]).toEqual(["unknown-format", true]);
  });

  it("name one twice", async () => {
    const error = await failure(read("rows.csv", `${names.join()},c7\n`));
    expect([error.reason, error.field]).toEqual(["duplicate-key", "c7"]);
    expect(guessDelimiter(names.join())).toBe(",");
  });
});

describe("JSON", () => {
  it.each(["NaN", "Infinity", "-Infinity", "[1, NaN]"])(
    "may hold Python's %s in a field that nothing reads",
    async (value) => {
      const text = 'a \\"NaN\\", Infinity';
      const line = `{"instruction": "Q", "score": ${value}, "output": "${text}"}\n`;
      expect(said(await read("rows.jsonl", line))).toEqual(['Q|a "NaN", Infinity']);
    },
  );

  it.each([
    ["output", '{"instruction": "Q", "output": NaN}', "wrong-type", /found the number NaN/],
    ["weight", '{"instruction": "Q", "output": "A", "weight": NaN}', "invalid-weight", /found NaN/],
    ["weight", '{"instruction": "Q", "output": "A", "weight": Infinity}', "invalid-weight", /found Infinity/],
    ["a", '{"a": NaN, "a": 1}', "duplicate-key", /twice/],
    [undefined, '{"instruction": Nan}', "invalid-json", /not JSON/],
  ])("may not hold it in %s: %s", async (field, line, reason, message) => {
    const error = await failure(read("rows.jsonl", `${line}\n`));
    expect([error.reason, error.field]).toEqual([reason, field]);
    expect(error.message).toMatch(message);
  });

  it("is refused where it is nested without end", async () => {
    const deep = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
    expect(await read("rows.jsonl", `{"instruction":"Q","output":"A","x":${deep(200)}}\n`)).toHaveLength(1);
    for (const levels of [300, 200_000]) {
      const line = `{"instruction":"Q","output":"A","x":${deep(levels)}}`;
      for (const content of [`${line}\n`, `[${line}]`]) {
        const error = await failure(read("rows.json", content));
        expect([error.reason, error.message]).toEqual([
          "invalid-json",
          expect.stringContaining("nested more than 256 levels"),
        ]);
      }
    }
  });

  it("end to end is said to be so, not to be cut off", async () => {
    const both = `${JSON.stringify(alpaca)}${JSON.stringify(alpaca)}`;
    for (const content of [
      both,
      `${JSON.stringify(alpaca, null, 2)}\n${JSON.stringify(alpaca, null, 2)}\n`,
    ]) {
      const error = await failure(read("rows.json", content));
      expect([error.reason, error.hint]).toEqual(["invalid-json", expect.stringContaining("jq -c .")]);
      expect(error.message).toMatch(/end to end|another JSON value/);
    }
    const cut = await failure(read("rows.jsonl", `${JSON.stringify(alpaca)}\n{"instruction": "Q", "out`));
    expect(cut.reason).toBe("truncated");
  });

  it("lines may end in carriage returns alone, or in several ways", async () => {
    const line = JSON.stringify(alpaca);
    expect(said(await read("rows.jsonl", `${line}\r${line}\r`))).toEqual(["Q|A", "Q|A"]);
    expect(said(await read("rows.jsonl", `${line}\r\n${line}\n\r\n${line}`))).toEqual(["Q|A", "Q|A", "Q|A"]);
    const texts = await read("rows.txt", "one\rtwo\r\rthree");
    expect(texts.map((example) => example.kind === "text" && example.text)).toEqual(["one", "two", "three"]);
  });
});

describe("what isn't the file itself", () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";

  it.each(["rows.json", "rows.jsonl", "rows.parquet", "rows.csv", "rows.txt"])(
    "is a Git LFS pointer: %s",
    async (name) => {
      const error = await failure(read(name, pointer));
      expect([error.reason, error.hint]).toEqual([
        "unknown-container",
        expect.stringContaining("git lfs pull"),
      ]);
      expect(error.message).toMatch(/a Git LFS pointer/);
    },
  );

  it("is a link to nothing", async () => {
    const path = join(temporaryFolder(), "rows.jsonl");
    symlinkSync("gone.jsonl", path);
    const { reason, message } = await failure(loadExamples({ path }));
    expect([reason, message]).toEqual(["missing-file", `${path}: a link to gone.jsonl, which isn't there`]);
  });

  const utf32 = (text: string, littleEndian: boolean): Buffer => {
    const bytes = Buffer.alloc(4 * text.length);
    for (let i = 0; i < text.length; i++) {
      if (littleEndian) bytes.writeUInt32LE(text.charCodeAt(i), 4 * i);
      else bytes.writeUInt32BE(text.charCodeAt(i), 4 * i);
    }
    return bytes;
  };
  const line = jsonl(alpaca);
  const utf16 = Buffer.from(line, "utf16le");

  it.each([
    ["UTF-32", utf32(`\ufeff${line}`, true)],
    ["UTF-32", utf32(`\ufeff${line}`, false)],
    ["UTF-32LE", utf32(line, true)],
    ["UTF-32BE", utf32(line, false)],
    ["UTF-16", Buffer.from(`\ufeff${line}`, "utf16le")],
    ["UTF-16LE", utf16],
    ["UTF-16BE", Buffer.from(utf16).swap16()],
  ])("is text of more bytes a character: %s", async (name, bytes) => {
    const error = await failure(read("rows.jsonl", bytes));
    expect(error.message).toMatch(new RegExp(`${name} text isn't read`));
    expect(error.hint).toContain(`iconv -f ${name} -t UTF-8`);
  });
});

it("a message whose text is null is told so", async () => {
  const rows = [
    { from: "human", value: "Hi" },
    { from: "gpt", value: null },
  ];
  const error = await failure(read("rows.jsonl", jsonl({ conversations: rows })));
  expect([error.reason, error.field]).toEqual(["missing-field", "conversations[1].value"]);
  expect(error.message).toMatch(/the message's value is null/);
});

describe("gzip", () => {
  it("of several members is read to its end", async () => {
    const members = Buffer.concat([gzipSync(jsonl(alpaca)), gzipSync(jsonl({ ...alpaca, output: "B" }))]);
    expect(said(await read("rows.jsonl.gz", members))).toEqual(["Q|A", "Q|B"]);
  });

  it("that is cut off is said to be so", async () => {
    const whole = gzipSync(jsonl(...Array.from({ length: 500 }, (_, i) => ({ ...alpaca, output: `${i}` }))));
    const error = await failure(read("rows.jsonl.gz", whole.subarray(0, whole.length - 200)));
    expect(error.reason).toBe("truncated");
  });
});

describe("a small text file", () => {
  it("is read without its byte order mark", () => {
    expect(readTextFile(file("prompts.txt", "\ufeffOne\nTwo\n"))).toBe("One\nTwo\n");
    expect(decodeText(Buffer.from("\ufeff[]"), "standard input")).toBe("[]");
  });

  it.each([
    [Buffer.from(`version https://git-lfs.github.com/spec/v1\n`), /Git LFS pointer/],
    [Buffer.from("\ufeffx", "utf16le"), /UTF-16 text isn't read/],
    [Buffer.from([0x61, 0xff]), /not UTF-8 at byte 1/],
    [gzipSync("x"), /not UTF-8|gzip/],
  ])("is refused where it is something else", (bytes, message) => {
    const path = join(temporaryFolder(), "prompts.txt");
    writeFileSync(path, bytes);
    expect(() => readTextFile(path)).toThrow(message);
  });
});
