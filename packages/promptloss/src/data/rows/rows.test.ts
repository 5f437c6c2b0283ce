// What a user does with sources: formats and columns found out or named, rows left out, limits, weights, mixtures.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  failure,
  file,
  jsonl,
  type Row,
  read,
  rowFailure,
  temporaryFolder,
} from "../../../test/row-files.ts";
import type { Example } from "../example.ts";
import { type DataSource, detectFormat, loadExamples, readExamples } from "./index.ts";

function texts(examples: readonly Example[]): string[] {
  return examples.map((example) => (example.kind === "text" ? example.text : ""));
}
function numbered(count: number, prefix = ""): Row[] {
  return Array.from({ length: count }, (_, i) => ({ text: `${prefix}${i}` }));
}
const alpaca = { instruction: "Q", output: "A" };

describe("the format", () => {
  it.each([
    ["alpaca", { ...alpaca, text: "rendered" }],
    ["prompt-completion", { prompt: "Q", completion: "A" }],
    ["messages", { prompt: "Q", messages: [] }],
    ["sharegpt", { conversations: [] }],
    ["text", { text: "T" }],
    ["tokens", { input_ids: [1], labels: [1], text: "T" }],
  ])("is %s for the keys of %j", async (format, row) => {
    const stream = readExamples({ path: file("rows.jsonl", jsonl(row)) }, { onBadRow: "skip" });
    await (async () => {
      for await (const _ of stream);
    })().catch(() => undefined);
    expect(stream.report.sources[0]!.format).toBe(format);
  });

  it("is an error with the keys and the formats where none fits", async () => {
    const error = await rowFailure([{ question: "Q", answer: "A" }]);
    expect(error.reason).toBe("unknown-format");
    expect(error.toString().replace(/^.*\//, "")).toMatchInlineSnapshot(`
      "rows.jsonl: the rows fit no known format; their columns: question, answer
      hint: Formats: alpaca (instruction, output); prompt-completion (prompt, completion); messages (messages); sharegpt (conversations); text (text); xlam (query, answers, tools); tokens (input_ids). Map other names, for example columns: { instruction: "question", output: "answer" } (--columns instruction=question,output=answer)."
    `);
  });

  it("is an error where several fit, until it is named", async () => {
    const row = { prompt: "Q", completion: "A", messages: [] };
    expect((await rowFailure([row])).toString().replace(/^.*\//, "")).toMatchInlineSnapshot(`
      "rows.jsonl: the rows fit prompt-completion and messages; their columns: prompt, completion, messages
      hint: Name one: format: "prompt-completion" or "messages"."
    `);
    expect(await read("rows.jsonl", jsonl(row), { format: "prompt-completion" })).toHaveLength(1);
  });

  it("must be the same in all files of a source", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "a.jsonl"), jsonl(alpaca));
    writeFileSync(join(folder, "b.jsonl"), jsonl({ text: "T" }));
    const error = await failure(loadExamples({ path: `${folder}/*.jsonl` }));
    expect(error).toMatchObject({ reason: "ambiguous-format", file: join(folder, "b.jsonl") });
  });

  it("is told by detectFormat, with what would not be read", async () => {
    const path = file("rows", jsonl({ ...alpaca, output: "" }, { ...alpaca, id: 7 }));
    expect(await detectFormat(path)).toEqual({
      format: "alpaca",
      container: "jsonl",
      gzip: false,
      ignoredColumns: ["id"],
    });
  });
});

describe("columns", () => {
  const rows = jsonl({ question: "Q", answer: "A", output: "not this" });

  it("are mapped", async () => {
    const [example] = await read("rows.jsonl", rows, {
      columns: { instruction: "question", output: "answer" },
    });
    expect(example).toMatchObject({ turns: [{ parts: [{ text: "Q" }] }, { parts: [{ text: "A" }] }] });
  });

  it("that stand for another field are not read under their own name", async () => {
    const source = { columns: { prompt: "text", completion: "prompt" } };
    const [example] = await read("rows.jsonl", jsonl({ text: "Q", prompt: "A" }), source);
    expect(example).toMatchObject({ turns: [{ parts: [{ text: "Q" }] }, { parts: [{ text: "A" }] }] });
  });

  it("can be left out with null", async () => {
    const row = { text: "T", weight: "heavy" };
    expect(await read("rows.jsonl", jsonl(row), { columns: { weight: null } })).toMatchObject([
      { text: "T" },
    ]);
  });

  it("that don't exist, or fields that no format has, are errors with the nearest name", async () => {
    const column = await failure(read("rows.jsonl", rows, { columns: { instruction: "questoin" } }));
    expect(column).toMatchObject({ reason: "missing-column", hint: 'Did you mean "question"?' });
    const field = await failure(read("rows.jsonl", rows, { columns: { instrucion: "question" } }));
    expect(field).toMatchObject({ reason: "invalid-option", hint: "Did you mean instruction?" });
    const other = await failure(
      read("rows.jsonl", jsonl(alpaca), { format: "alpaca", columns: { prompt: "instruction" } }),
    );
    expect(other).toMatchObject({ reason: "invalid-option", field: "prompt" });
  });

  it("that nothing reads are reported, those of messages too", async () => {
    const message = { role: "user", content: "Q", name: "Ann" };
    const rows = jsonl(
      { messages: [message, { role: "assistant", content: "A" }], id: 1 },
      { messages: 1, later: 2 },
    );
    const { report } = await loadExamples({ path: file("rows.jsonl", rows) }, { onBadRow: "skip" });
    expect(report.ignoredColumns).toEqual(["id", "later", "messages[].name"]);
  });
});

describe("bad rows", () => {
  const rows = [
    { text: "a" },
    { text: "" },
    { text: 1 },
    ...Array.from({ length: 40 }, () => ({ text: "" })),
    { text: "b" },
  ];

  it("are an error by default, the first of them; an empty completion is none", async () => {
    expect(await rowFailure(rows, {}, {})).toMatchObject({ row: 3, reason: "wrong-type" });
    expect(await rowFailure(rows)).toMatchObject({ row: 2, reason: "empty-completion" });
  });

  it.each(["error", "skip"] as const)(
    "with an empty completion are left out and counted by default, under onBadRow %s",
    async (onBadRow) => {
      const path = file("rows.jsonl", jsonl({ text: "a" }, { text: "" }, { text: " " }));
      const { examples, report } = await loadExamples({ path }, { onBadRow });
      expect([texts(examples), report.skippedBy]).toEqual([["a"], { "empty-completion": 2 }]);
    },
  );

  it("are left out and counted by cause, with samples", async () => {
    const path = file("rows.jsonl", jsonl(...rows));
    const { examples, report } = await loadExamples({ path }, { onBadRow: "skip" });
    expect(texts(examples)).toEqual(["a", "b"]);
    expect(report).toMatchObject({ rows: 44, examples: 2, skipped: 42 });
    expect(report.skippedBy).toEqual({ "empty-completion": 41, "wrong-type": 1 });
    expect(report.samples.map(({ row }) => row)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it("are an error where nothing else is left", async () => {
    const path = file("rows.jsonl", jsonl({ text: "" }, { text: "" }));
    const error = await failure(loadExamples({ path }, { onBadRow: "skip" }));
    expect(error).toMatchObject({ reason: "no-examples", message: expect.stringContaining("all 2 rows") });
  });

  it("at the start don't hide the format of those after", async () => {
    const content = `${"not json\n".repeat(40)}${jsonl({ text: "T" })}`;
    const { report } = await loadExamples({ path: file("rows.jsonl", content) }, { onBadRow: "skip" });
    expect(report).toMatchObject({ examples: 1, rows: 41, skippedBy: { "invalid-json": 40 } });
  });

  it("with an empty completion can be kept", async () => {
    const path = file("rows.jsonl", jsonl({ instruction: "Q", output: "" }));
    const { examples } = await loadExamples({ path }, { emptyCompletions: "keep" });
    expect(examples).toMatchObject([{ turns: [{}, { parts: [{ class: "completion", text: "" }] }] }]);
  });
});

describe("limit and weight", () => {
  const path = (count: number): string => file("rows.jsonl", jsonl(...numbered(count)));

  it("limit takes the first rows, and reads no bad row behind them", async () => {
    const content = jsonl({ text: "0" }, { text: "1" }, { text: 2 });
    const { examples, report } = await loadExamples({ path: file("rows.jsonl", content), limit: 2 });
    expect(texts(examples)).toEqual(["0", "1"]);
    expect(report).toMatchObject({ rows: 2, examples: 2 });
  });

  it("limit takes a random sample in order, the same for a seed", async () => {
    const source = { path: path(100), limit: 10, sample: "random" } as const;
    const [a, b, other] = await Promise.all(
      [7, 7, 8].map(async (seed) => texts((await loadExamples(source, { seed })).examples)),
    );
    expect(a).toEqual(b);
    expect(a).not.toEqual(other);
    expect(a!.map(Number)).toEqual([...new Set(a)].map(Number).sort((x, y) => x - y));
    expect(a).toHaveLength(10);
  });

  it("a random sample takes each row equally often", async () => {
    const source = { path: path(8), limit: 2, sample: "random" } as const;
    const counts = new Array<number>(8).fill(0);
    for (let seed = 0; seed < 400; seed++) {
      for (const text of texts((await loadExamples(source, { seed })).examples)) counts[Number(text)]!++;
    }
    // 100 of 400 are expected with a standard deviation of √(400·¼·¾) ≈ 8.7; the seeds are fixed, 5 of them is far.
    for (const count of counts) expect(Math.abs(count - 100)).toBeLessThan(44);
  });

  it("weight repeats whole passes and takes the rest evenly at random", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 35 }).map((tenths) => tenths / 10),
        fc.integer(),
        async (count, weight, seed) => {
          const { examples, report } = await loadExamples({ path: path(count), weight }, { seed });
          const taken = new Map(numbered(count).map(({ text }) => [text as string, 0]));
          for (const text of texts(examples)) taken.set(text, taken.get(text)! + 1);
          for (const times of taken.values()) {
            expect(times).toBeGreaterThanOrEqual(Math.floor(weight));
            expect(times).toBeLessThanOrEqual(Math.ceil(weight));
          }
          expect(Math.abs(examples.length - count * weight)).toBeLessThan(1);
          expect(report).toMatchObject({ rows: count, examples: examples.length });
        },
      ),
      { numRuns: 40 },
    );
  });

  it("mixes sources in their order, each with its own limit and weight", async () => {
    const sources: DataSource[] = [
      { path: file("a.jsonl", jsonl(...numbered(5, "a"))), limit: 2, weight: 2 },
      { path: file("b.jsonl", jsonl(...numbered(4, "b"))), weight: 0.5 },
    ];
    const { examples, report } = await loadExamples(sources, { seed: 3 });
    expect(texts(examples).slice(0, 4)).toEqual(["a0", "a1", "a0", "a1"]);
    expect(
      texts(examples)
        .slice(4)
        .map((text) => text[0]),
    ).toEqual(["b", "b"]);
    expect(report.sources.map((source) => source.examples)).toEqual([4, 2]);
    expect(texts((await loadExamples(sources, { seed: 3 })).examples)).toEqual(texts(examples));
  });
});

describe("options", () => {
  const path = file.bind(null, "rows.jsonl", jsonl({ text: "T" }));
  const cases: readonly (readonly [string, object])[] = [
    ["weigth", { weigth: 1 }],
    ["weight", { weight: 0 }],
    ["weight", { weight: Number.NaN }],
    ["limit", { limit: 1.5 }],
    ["sample", { sample: "random" }],
    ["format", { format: "alpacca" }],
    ["columns", { columns: { text: 1 } }],
    ["container", { container: "xml" }],
    ["split", { split: "train" }],
    ["revision", { revision: "main" }],
    ["delimiter", { delimiter: ";" }],
    ["sampleBy", { sampleBy: "line" }],
  ];
  it.each(cases)("%s is refused in %j", async (field, options) => {
    const load = async () => loadExamples({ path: path(), ...options });
    expect(await failure(load())).toMatchObject({ reason: "invalid-option", field });
  });

  it("have a path", () => {
    expect(() => readExamples({} as DataSource)).toThrow(/path/);
    expect(() => readExamples([])).toThrow(/no data source/);
  });
});
