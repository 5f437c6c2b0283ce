// Files that are broken, odd or not there: each ends in an error that names the place, or is read after all.
import { mkdirSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  csv,
  encode,
  failure,
  file,
  jsonl,
  parquet,
  type Row,
  read,
  temporaryFolder,
} from "../../../../test/row-files.ts";
import { loadExamples, readExamples } from "../index.ts";

const ROWS: Row[] = Array.from({ length: 100 }, (_, i) => ({
  prompt: `question ${i}`,
  completion: `answer ${i}`,
}));
const ONE = { prompt: "Q", completion: "A" };
function bytes(...parts: (string | readonly number[])[]): Buffer {
  return Buffer.concat(parts.map((part) => Buffer.from(part as string)));
}

describe("a file that is not there or holds nothing", () => {
  it("missing: the nearest name is suggested", async () => {
    const path = file("train.jsonl", jsonl(ONE));
    const error = await failure(loadExamples({ path: join(dirname(path), "trian.jsonl") }));
    expect(error).toMatchObject({ reason: "missing-file", hint: `Did you mean ${path}?` });
    const nowhere = await failure(loadExamples({ path: "/no/such/folder/x.jsonl" }));
    expect(nowhere).toMatchObject({
      reason: "missing-file",
      hint: expect.stringContaining("/no/such/folder"),
    });
  });

  it.each([
    ["rows.jsonl", ""],
    ["rows.jsonl", " \n\r\n\t\n"],
    ["rows.json", "[]"],
    ["rows.json", " [ \n ] "],
    ["rows.csv", "prompt,completion\n"],
    ["rows.txt", "\n\n"],
    ["rows.jsonl.gz", gzipSync("")],
    ["rows.jsonl", bytes([0xef, 0xbb, 0xbf])],
  ])("empty: %s of %j", async (name, content) => {
    expect(await failure(read(name, content))).toMatchObject({ reason: "empty-file" });
  });

  it("a folder that a pattern gives, or one without data", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "x.jsonl"));
    const error = await failure(loadExamples({ path: folder }));
    expect(error).toMatchObject({
      reason: "missing-file",
      message: expect.stringContaining("no data files"),
    });
    expect(await failure(loadExamples({ path: `${folder}/*.jsonl` }))).toMatchObject({
      reason: "missing-file",
    });
  });

  it.each([
    ["zstd", [0x28, 0xb5, 0x2f, 0xfd, 0, 0]],
    ["zip", [0x50, 0x4b, 3, 4]],
    ["UTF-16", [0xff, 0xfe, 0x5b, 0]],
  ])("%s isn't read, and the hint says what to do", async (name, magic) => {
    const error = await failure(read("rows.jsonl", Buffer.from(magic)));
    expect(error).toMatchObject({ reason: "unknown-container", message: expect.stringContaining(name) });
    expect(error.hint).toBeTruthy();
  });

  it("text of an unknown kind needs a name for it", async () => {
    const error = await failure(read("rows.data", "prompt,completion\nQ,A\n"));
    expect(error).toMatchObject({ reason: "unknown-container", hint: expect.stringContaining('"csv"') });
    expect(await read("rows.data", "prompt,completion\nQ,A\n", { container: "csv" })).toHaveLength(1);
  });
});

describe("a file cut in half", () => {
  const cut = (name: string): Buffer => {
    const whole = encode(name, ROWS);
    return Buffer.from(whole.subarray(0, Math.floor(whole.length / 2) + 3));
  };

  it.each([
    ["rows.json", /row 5\d: the JSON document ends at byte 3394, inside this row/],
    ["rows.jsonl", /row 5\d: the file ends in the middle of this row, at byte \d+/],
    ["rows.json.gz", /the gzip stream ends early, after \d+ bytes/],
    ["rows.jsonl.gz", /the gzip stream ends early, after \d+ bytes/],
    ["rows.csv", /row \d+: the file ends inside a quoted cell/],
    ["rows.parquet", /doesn't end with its footer/],
  ])("%s", async (name, message) => {
    const error = await failure(read(name, cut(name)));
    expect(error.reason).toBe("truncated");
    expect(error.message).toMatch(message);
  });

  it("gunzipped Parquet too", async () => {
    const half = gzipSync(cut("rows.parquet"));
    expect(await failure(read("rows.parquet.gz", half))).toMatchObject({ reason: "truncated" });
  });

  it("gzipped Parquet is unpacked up to a limit, and nothing of it stays on the disk", async () => {
    const left = (): string[] =>
      readdirSync(tmpdir()).filter((name) => name.startsWith("promptloss-unpacked-"));
    const before = left();
    // Some megabytes of zeros behind the magic bytes take some kilobytes.
    const bomb = gzipSync(Buffer.concat([Buffer.from("PAR1"), Buffer.alloc(8 << 20)]));
    expect(bomb.length).toBeLessThan(16_384);
    const path = file("bomb.parquet.gz", bomb);
    const limited = { maxUnpackedBytes: 1 << 20 };
    expect(await failure(loadExamples({ path }, limited))).toMatchObject({
      reason: "file-too-large",
      message: `${path}: unpacks to more than the limit of 1048576 bytes`,
      hint: expect.stringContaining("maxUnpackedBytes"),
    });
    expect(left()).toEqual(before);
    const whole = parquet(ROWS);
    const fine = file("rows.parquet.gz", gzipSync(whole));
    const exact = await loadExamples({ path: fine }, { maxUnpackedBytes: whole.length });
    expect(exact.examples).toHaveLength(ROWS.length);
    const short = loadExamples({ path: fine }, { maxUnpackedBytes: whole.length - 1 });
    expect(await failure(short)).toMatchObject({ reason: "file-too-large" });
    expect(() => readExamples({ path }, { maxUnpackedBytes: 0 })).toThrow(/maxUnpackedBytes/);
  });

  it("JSON lines: the lines before can be had", async () => {
    const path = file("rows.jsonl", cut("rows.jsonl"));
    const { examples, report } = await loadExamples({ path }, { onBadRow: "skip" });
    expect(report.skippedBy).toEqual({ truncated: 1 });
    expect(examples.length).toBe(report.rows - 1);
  });

  it("a Parquet file whose middle is gone says which row group", async () => {
    const whole = Buffer.from(parquet(ROWS, 25));
    whole.fill(0xff, 40, 400);
    const error = await failure(read("rows.parquet", whole));
    expect(error).toMatchObject({
      reason: "invalid-parquet",
      message: expect.stringContaining("row group 1"),
    });
  });

  it("gzip with wrong bytes in the middle", async () => {
    const whole = gzipSync(jsonl(...ROWS));
    whole.fill(0x55, 30, 60);
    expect(await failure(read("rows.jsonl.gz", whole))).toMatchObject({ reason: "invalid-gzip" });
  });
});

describe("text that is not UTF-8", () => {
  const line = (text: readonly number[]): Buffer => bytes('{"text":"', text, '"}\n');

  it("JSON lines: row and byte", async () => {
    const content = Buffer.concat([line([0xc3, 0xa9]), line([0x61, 0xff, 0x62]), line([0x63])]);
    const error = await failure(read("rows.jsonl", content));
    expect(error).toMatchObject({ reason: "invalid-utf8", row: 2 });
    expect(error.message).toMatch(/at byte 24 of the text \(0xff\)/);
    const { examples, report } = await loadExamples(
      { path: file("rows.jsonl", content) },
      { onBadRow: "skip" },
    );
    expect([examples.length, report.skippedBy]).toEqual([2, { "invalid-utf8": 1 }]);
  });

  it("JSON: row and byte", async () => {
    const content = bytes('[{"text":"a"},\n {"text":"', [0xe2, 0x82], '"}]');
    const error = await failure(read("rows.json", content));
    expect(error).toMatchObject({
      reason: "invalid-utf8",
      row: 2,
      message: expect.stringContaining("byte 25 of the text (0xe2)"),
    });
  });

  it.each([1, 2, 3, 7, 1000])("CSV: line and byte, %i bytes at a time", async (chunkBytes) => {
    const content = bytes("text\nzwölf\n", [0x61, 0xfe], "\n");
    const error = await failure(read("rows.csv", content, {}, { chunkBytes }));
    expect(error).toMatchObject({ reason: "invalid-utf8" });
    expect(error.message).toMatch(/at byte 13 of the text, on line 3/);
  });

  it("CSV that ends inside a character", async () => {
    const error = await failure(read("rows.csv", bytes("text\nab", [0xe2, 0x82])));
    expect(error).toMatchObject({ reason: "invalid-utf8" });
    expect(error.message).toMatch(/at byte 7 of the text, on line 2/);
  });

  it("text", async () => {
    expect(await failure(read("rows.txt", bytes("ok\n", [0x80])))).toMatchObject({
      reason: "invalid-utf8",
      row: 2,
    });
  });

  it("text that another encoding wrote: the byte of the letter, not the one after it", async () => {
    const latin = Buffer.from('{"text":"caf\u00e9"}\n', "latin1");
    expect((await failure(read("rows.jsonl", latin))).message).toMatch(/at byte 12 of the text \(0xe9\)/);
    const cut = await failure(read("rows.txt", bytes("ab", [0xe2, 0x82])));
    expect(cut.message).toMatch(/at byte 2 of the text \(an unfinished character\)/);
    const last = await failure(read("rows.txt", bytes("ab", [0xff])));
    expect(last.message).toMatch(/at byte 2 of the text \(0xff\)/);
  });

  it("Parquet: row and field", async () => {
    const content = Buffer.from(parquet([{ text: "fine" }, { text: "zzzz" }]));
    for (let at = content.indexOf("zzzz"); at >= 0; at = content.indexOf("zzzz")) content[at + 1] = 0xff;
    const error = await failure(read("rows.parquet", content));
    expect(error).toMatchObject({ reason: "invalid-utf8", row: 2, field: "text" });
  });
});

describe("JSON that would lose something", () => {
  it.each([
    ["rows.jsonl", '{"text":"a"}\n{"text":"b","text":"c"}\n'],
    ["rows.json", '[{"text":"a"},{"text":"b","text":"c"}]'],
    ["rows.jsonl", '{"text":"a"}\n{"text":"b","x":[{"te\\u0078t":1,"text":"c"}]}\n'],
  ])("duplicate keys: %s of %j", async (name, content) => {
    const error = await failure(read(name, content));
    expect(error).toMatchObject({ reason: "duplicate-key", row: 2, field: "text" });
  });

  it("a CSV header with a name twice", async () => {
    const error = await failure(read("rows.csv", "text,text\na,b\n"));
    expect(error).toMatchObject({ reason: "duplicate-key", field: "text" });
  });
});

describe("JSON that is not a list of objects", () => {
  it.each([
    ["rows.jsonl", '{"text":"a"}\n[1]\n', "not-an-object", 2],
    ["rows.jsonl", '{"text":"a"}\nnull\n', "not-an-object", 2],
    ["rows.json", '[{"text":"a"},7]', "not-an-object", 2],
    ["rows.jsonl", '{"text":"a"}\n{"text":}\n', "invalid-json", 2],
    ["rows.json", '[{"text":"a"},{"text":}]', "invalid-json", 2],
    ["rows.json", '[{"text":"a"},]', "invalid-json", 2],
    ["rows.json", '[{"text":"a"},,{"text":"b"}]', "invalid-json", 2],
    ["rows.json", '[{"text":"a"} {"text":"b"}]', "invalid-json", 1],
    ["rows.json", '[{"text":"a"}] [', "invalid-json", 1],
    ["rows.json", '[{"text":"a"}]]', "invalid-json", 1],
  ])("%s of %j is %s in row %i", async (name, content, reason, row) => {
    expect(await failure(read(name, content))).toMatchObject({ reason, row });
  });

  it("names the keys of a top-level object, and reads the list under one", async () => {
    const content = JSON.stringify({ version: [1], data: [{ text: "a" }, { text: "b" }], end: {} }, null, 1);
    expect(await failure(read("rows.json", content))).toMatchObject({
      reason: "invalid-json",
      hint: expect.stringContaining("version, data, end"),
    });
    expect(await read("rows.json", content, { field: "data" })).toMatchObject([{ text: "a" }, { text: "b" }]);
    expect(await failure(read("rows.json", content, { field: "rows" }))).toMatchObject({ field: "rows" });
    const oneLine = JSON.stringify({ data: [{ text: "a" }] });
    expect(await read("rows.json", oneLine, { field: "data" })).toMatchObject([{ text: "a" }]);
  });
});

describe("what is read after all", () => {
  const expected = [{ text: "a" }, { text: "b" }];

  it.each([
    ["rows.jsonl", "\ufeff", '{"text":"a"}\n{"text":"b"}'],
    ["rows.json", "\ufeff", '[{"text":"a"},{"text":"b"}]'],
    ["rows.csv", "\ufeff", "text\na\nb\n"],
    ["rows.txt", "\ufeff", "a\nb\n"],
    ["rows.jsonl", "", '{"text":"a"}\r\n\r\n  \r\n{"text":"b"}\r\n'],
    ["rows.csv", "", "text\r\na\r\n\r\nb\r\n"],
    ["rows.txt", "", "a\r\n\r\nb"],
    ["rows.json", "", ' \n[\t{"text":"a"}\r\n,{"text":"b"} ]\n'],
    ["no-extension", "", '{"text":"a"}\n{"text":"b"}'],
    ["wrong.json", "", '{"text":"a"}\n{"text":"b"}'],
    ["wrong.jsonl", "", '[{"text":"a"},{"text":"b"}]'],
  ])("%s of %j%j", async (name, bom, content) => {
    expect(await read(name, bom + content)).toMatchObject(expected);
  });

  it("blank lines count in row numbers, so that an editor finds the row, and in the report", async () => {
    const path = file("rows.jsonl", '\n{"text":"a"}\n\n{"text":"b"}\n');
    const { examples, report } = await loadExamples({ path });
    expect(examples.map(({ source }) => source.row)).toEqual([2, 4]);
    expect(report.sources[0]!.files[0]).toMatchObject({ rows: 2, blankLines: 2 });
  });

  it("several gzip members in one file", async () => {
    const content = Buffer.concat([gzipSync(jsonl({ text: "a" })), gzipSync(jsonl({ text: "b" }))]);
    expect(await read("rows.jsonl.gz", content)).toMatchObject(expected);
  });

  it("gzip without a name for it", async () => {
    expect(await read("rows", gzipSync(jsonl(...expected)))).toMatchObject(expected);
    expect(gunzipSync(encode("rows.jsonl.gz", expected)).toString()).toBe(jsonl(...expected));
  });

  it("text by paragraph and as a document", async () => {
    const content = "a\nb\n\n\nc\n";
    expect(await read("rows.txt", content, { sampleBy: "paragraph" })).toMatchObject([
      { text: "a\nb", source: { row: 1 } },
      { text: "c", source: { row: 5 } },
    ]);
    expect(await read("rows.txt", content, { sampleBy: "document" })).toMatchObject([{ text: content }]);
  });
});

describe("CSV", () => {
  it.each([";", "\t", "|"])("finds the delimiter %j", async (delimiter) => {
    const content = `prompt${delimiter}completion\n"Q, a"${delimiter}A\n`;
    expect(await read("rows.csv", content)).toMatchObject([{ turns: [{ parts: [{ text: "Q, a" }] }, {}] }]);
  });

  it("keeps line ends, quotes and delimiters in cells", async () => {
    const text = 'a "b", c\r\nd;\te';
    expect(await read("rows.csv", csv([{ prompt: "Q", completion: text }]))).toMatchObject([
      { turns: [{}, { parts: [{ text }] }] },
    ]);
  });

  it("ragged rows are bad rows", async () => {
    const content = "prompt,completion\nQ,A\nQ,A,extra\nQ\nQ,A\n";
    expect(await failure(read("rows.csv", content))).toMatchObject({ reason: "ragged-row", row: 2 });
    const { examples, report } = await loadExamples(
      { path: file("rows.csv", content) },
      { onBadRow: "skip" },
    );
    expect([examples.length, report.skippedBy]).toEqual([2, { "ragged-row": 2 }]);
  });

  it("reads lists in JSON and weights as numbers", async () => {
    const rows = [{ input_ids: [1, 2], completion_mask: [0, 1], weight: 0.5 }];
    expect(await read("rows.csv", csv(rows))).toMatchObject([{ kind: "tokens", weight: 0.5 }]);
    const weights = await read("rows.csv", "text,weight\na,\nb,2\n");
    expect(weights.map(({ weight }) => weight)).toEqual([undefined, 2]);
    expect(await failure(read("rows.csv", "text,weight\na,NaN\n"))).toMatchObject({
      reason: "invalid-weight",
    });
  });
});

describe("a very long row", () => {
  const long = { text: "x".repeat(50 * 2 ** 20) };

  it("of 50 MB is read", async () => {
    const [example] = await read("rows.jsonl", jsonl(long));
    expect(example!.kind === "text" && example!.text === long.text).toBe(true);
  });

  it.each([
    ["rows.jsonl", jsonl({ text: "a" }, { text: "x".repeat(5000) }, { text: "b" })],
    ["rows.json", JSON.stringify([{ text: "a" }, { text: "x".repeat(5000) }, { text: "b" }])],
    ["rows.txt", `a\n${"x".repeat(5000)}\nb\n`],
  ])("beyond the limit is a bad row of %s", async (name, content) => {
    for (const chunkBytes of [64, 2 ** 18]) {
      const options = { maxRowBytes: 1000, chunkBytes };
      expect(await failure(read(name, content, {}, options))).toMatchObject({
        reason: "row-too-large",
        row: 2,
      });
      const path = file(name, content);
      const { examples, report } = await loadExamples({ path }, { ...options, onBadRow: "skip" });
      expect(examples).toMatchObject([{ text: "a" }, { text: "b" }]);
      expect(report.skippedBy).toEqual({ "row-too-large": 1 });
    }
  });

  it("beyond the limit ends the reading of CSV", async () => {
    const content = `text\na\n"${"x".repeat(5000)}"\n`;
    const error = await failure(read("rows.csv", content, {}, { maxRowBytes: 1000 }));
    expect(error).toMatchObject({ reason: "row-too-large", row: 2 });
  });

  it.each([
    ["bytes", [{ text: "x".repeat(100_000) }]],
    ["values, each of few bits", Array.from({ length: 10_000 }, () => ({ text: "x" }))],
  ])("a Parquet page that unpacks to too many %s is refused unread", async (_, rows) => {
    const path = file("rows.parquet", parquet(rows, rows.length, 2 ** 20));
    expect(statSync(path).size).toBeLessThan(20_000);
    expect(await failure(loadExamples({ path }, { maxPageBytes: 50_000 }))).toMatchObject({
      reason: "invalid-parquet",
      row: 1,
      message: expect.stringMatching(/a page of text unpacks to [\d,]+ bytes, and 50,000 are read at most/),
    });
    expect((await loadExamples({ path })).examples).toHaveLength(rows.length);
  });

  it("without an end doesn't fill the memory", async () => {
    const path = join(temporaryFolder(), "rows.jsonl");
    writeFileSync(path, '{"text":"');
    // Sparse: a gigabyte of zeros that takes no room on the disk.
    truncateSync(path, 2 ** 30);
    const before = process.memoryUsage().rss;
    const reading = failure(loadExamples({ path }, { maxRowBytes: 2 ** 20 }));
    let most = before;
    const watch = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
    expect(await reading).toMatchObject({ reason: "row-too-large", row: 1 });
    clearInterval(watch);
    // Buffers wait for the collector; a quarter of the line's size is far from holding it.
    expect(most - before).toBeLessThan(2 ** 28);
  });
});
