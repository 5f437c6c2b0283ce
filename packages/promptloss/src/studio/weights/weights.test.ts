// Rows as a page sends them → tokens that a browser weighs as training does, bad rows with line and cause.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import { TOKEN_CLASSES, type TokenClass } from "../../data/example.ts";
import { readExamples } from "../../data/rows/index.ts";
import { createTemplate } from "../../data/templates/index.ts";
import { partOfClass } from "../../data/token-parts.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import {
  ExampleTokenizer,
  fitTokens,
  OVERFLOW_POLICIES,
  resolveWeightPolicy,
  type WeightPolicy,
  weighTokens,
} from "../../data/tokens/index.ts";
import { lossTotals, NORMALIZATIONS } from "../../loss/normalization.ts";
import { referenceLoss } from "../../loss/reference.ts";
import type { ServeError } from "../../serve/errors.ts";
import type { TokenRow } from "./answer.ts";
import { jsonLinesOf } from "./json-lines.ts";
import { type MeasureOptions, measureRows } from "./measure-rows.ts";
import { type RowsText, withRowsFile } from "./rows-text.ts";
import { classifiedRow, measuredSharesOf, sharesOf, weighRows } from "./token-weights.ts";
import { LAST_STEP, stepOfWeight, weightOfStep } from "./weight-scale.ts";

const pieces = await loadTokenizer(TINY_PIECES);
const bytes = await loadTokenizer(TINY_BYTES);

function measure(rows: Partial<RowsText> & { text: string }, options: Partial<MeasureOptions> = {}) {
  return measureRows(
    { name: "pasted rows", ...rows },
    {
      tokenizer: pieces,
      template: "auto",
      turns: "all",
      emptyCompletions: "skip",
      signal: new AbortController().signal,
      ...options,
    },
  );
}

function lines(...rows: unknown[]): string {
  return rows.map((row) => `${typeof row === "string" ? row : JSON.stringify(row)}\n`).join("");
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error = (await work.then(
    () => new Error("it did not fail"),
    (thrown: unknown) => thrown,
  )) as ServeError;
  return `${error.status} ${error.param}: ${error.message}`;
}

const TURNS = [
  { role: "user", content: "Say hello" },
  { role: "assistant", content: "Hello there", weight: 0.5 },
  { role: "user", content: "Again" },
  { role: "assistant", content: "Hello 🦀" },
];

describe("rows as tokens", () => {
  test("texts, put together, are the row; classes are those of training", async () => {
    const answer = await measure({ text: lines({ messages: TURNS }) }, { tokenizer: bytes });
    expect(answer).toMatchObject({
      format: "messages",
      unit: "line",
      template: "tokenizer",
      counts: { read: 1, usable: 1, bad: 0 },
      bad: [],
    });
    const [row] = answer.rows;
    expect(row!.texts.join("")).toContain("Hello 🦀<|im_end|>");
    const encoder = new ExampleTokenizer(bytes, createTemplate("tokenizer", bytes));
    const examples = await withRowsFile(
      { text: lines({ messages: TURNS }), name: "a" },
      async ({ source }) => {
        const all = [];
        for await (const example of readExamples(source)) all.push(example);
        return all;
      },
    );
    for await (const expected of encoder.rows(examples)) {
      const found = classifiedRow(JSON.parse(JSON.stringify(row)) as TokenRow);
      expect({ ...found, source: expected.source }).toEqual(expected);
    }
    expect(row!.special.map((place) => row!.texts[place])).toContain("<|im_end|>");
  });

  test("without a chat template, auto is alpaca; names are a recipe's", async () => {
    const text = JSON.stringify([{ instruction: "Add", input: "1 2", output: "3" }]);
    const answer = await measure({ text }, { template: "alpaca" });
    expect(answer).toMatchObject({ format: "alpaca", unit: "row", template: "alpaca" });
    expect((await measure({ text })).template).toBe("tokenizer");
    expect(answer.generationRatio?.ratioOfMeans).toBeGreaterThan(0);
    expect(answer.ratioAsTrained).toBeLessThan(answer.generationRatio!.ratioOfMeans!);
    expect(await refusal(measure({ text }, { template: "bedtime" }))).toMatch(
      /^400 template: .*no such template/,
    );
  });

  test("bad rows are named with line, field and cause, those of the template too", async () => {
    const text = lines(
      { messages: TURNS.slice(0, 2) },
      '{"messages": [',
      { messages: [{ role: "user", content: "only a question" }] },
      { messages: [{ role: "robot", content: "a" }] },
      { messages: [TURNS[0], { role: "assistant", content: " " }] },
      { messages: [{ role: "system", content: "Be kind" }, ...TURNS.slice(0, 2)] },
    );
    const { bad, counts } = await measure({ text, name: "mine.jsonl" }, { template: "alpaca" });
    expect(counts).toEqual({ read: 6, usable: 1, bad: 5 });
    expect(
      bad.map(({ row, field, cause, message }) => `${row} ${field} ${cause}: ${message}`),
    ).toMatchInlineSnapshot(`
      [
        "2 null invalid-json: not JSON: Unexpected end of JSON input",
        "3 messages no-assistant-turn: no assistant turn: nothing to train on",
        "4 messages[0].role unknown-role: the role "robot"",
        "5 messages, assistant turn 1 empty-completion: the completion is only white space",
        "6 null template: template alpaca: takes one user turn and one assistant turn",
      ]
    `);
  });

  test("where no row is left, each is named all the same", async () => {
    const { rows, bad, counts, generationRatio } = await measure({ text: lines("{", "[]"), name: "x.jsonl" });
    expect(rows).toEqual([]);
    expect(counts).toEqual({ read: 2, usable: 0, bad: 2 });
    expect(bad.map(({ row }) => row)).toEqual([1, 2]);
    expect(generationRatio).toBeUndefined();
  });

  test("what is no rows at all is refused with the name that the client gave it", async () => {
    const name = "$& poem.unknown";
    expect(await refusal(measure({ text: "roses are red", name }))).toMatchInlineSnapshot(
      `"400 text: $& poem.unknown: neither JSON, JSON lines nor Parquet by its content"`,
    );
    expect(await refusal(measure({ text: " \n", name }))).toMatchInlineSnapshot(
      `"400 text: $& poem.unknown: the file has nothing but white space"`,
    );
    expect(await refusal(measure({ text: "\ud800" }))).toMatch(/^400 text: .*surrogate/);
    expect((await measure({ text: "roses are red", container: "text" })).format).toBe("text");
    expect((await measure({ text: "prompt,completion\na,b\n", name: "x.csv" })).unit).toBe("record");
  });

  test("as many rows as a browser recomputes; the ratio is of all, and bad rows behind them are named", async () => {
    const row = { prompt: "a b c d e f", completion: "g" };
    const twice = { messages: [...TURNS, ...TURNS] };
    const long = lines(...Array.from({ length: 700 }, () => row));
    const { rows, counts, notes } = await measure({ text: long });
    expect([rows.length, counts.usable]).toEqual([500, 700]);
    expect(notes.join("\n")).toContain("the first 500 of 700 rows are shown and weighed");
    const single = lines(...Array.from({ length: 600 }, () => ({ messages: TURNS.slice(0, 2) })), twice);
    const { counts: more, bad } = await measure({ text: single }, { template: "alpaca" });
    expect(more).toEqual({ read: 601, usable: 600, bad: 1 });
    expect(bad).toMatchObject([{ row: 601, cause: "template" }]);
    const ids = lines(
      ...Array.from({ length: 501 }, () => ({ input_ids: [1, 2], completion_mask: [0, 1] })),
      { input_ids: [1, 99999], completion_mask: [0, 1] },
    );
    expect((await measure({ text: ids })).bad).toMatchObject([{ row: 502, cause: "bad-tokens" }]);
  });

  test("rows that take long to encode are named and left to commands", async () => {
    const turns = Array.from({ length: 4000 }, (_, i) => ({
      role: i % 2 === 0 ? "user" : "assistant",
      content: `turn ${i}`,
    }));
    const deep = await measure({ text: lines({ messages: turns }) });
    expect(deep.counts).toEqual({ read: 1, usable: 0, bad: 1 });
    expect(deep.bad).toMatchObject([{ row: 1, cause: "row-too-large" }]);
    const long = await measure({ text: lines({ prompt: "a".repeat(2 ** 18 + 1), completion: "b" }) });
    expect(long.bad[0]!.message).toBe(
      "262,146 characters in 1 completion are more than this page encodes; training takes the row",
    );
    expect(long.rows).toEqual([]);
  });

  test("a client that is gone stops the work", async () => {
    await expect(
      measure({ text: lines({ messages: TURNS }) }, { signal: AbortSignal.abort() }),
    ).rejects.toThrow(/abort/i);
  });
});

/** Rows as an answer has them, with all that data may carry. */
const tokenRows: fc.Arbitrary<TokenRow[]> = fc.array(
  fc.integer({ min: 2, max: 12 }).chain((length) => {
    const list = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
      fc.array(of, { minLength: length, maxLength: length });
    return fc.record(
      {
        row: fc.integer({ min: 1, max: 9 }),
        ids: list(fc.nat(99)),
        classes: list(fc.nat(TOKEN_CLASSES.length - 1)),
        texts: list(fc.string()),
        special: fc.constant([]),
        // As float32 holds them: they come out of such arrays.
        partWeights: list(fc.option(fc.constantFrom(0, 0.25, 1, 2))),
        scales: list(fc.constantFrom(0, 0.5, 1)),
        rowWeight: fc.constantFrom(0, 0.1, 1, 3),
      },
      { requiredKeys: ["row", "ids", "classes", "texts", "special", "rowWeight"] },
    );
  }),
  { minLength: 1, maxLength: 5 },
);

const unit = fc.oneof(fc.constantFrom(0, 1, 0.1, 0.2463), fc.double({ min: 0, max: 1, noNaN: true }));

const policies: fc.Arbitrary<WeightPolicy> = fc.record(
  {
    promptLossWeight: unit,
    completionWeight: fc.constantFrom(0.5, 1),
    perClass: fc.dictionary(fc.constantFrom("end", "template", "input"), unit) as fc.Arbitrary<
      Partial<Record<TokenClass, number>>
    >,
  },
  { requiredKeys: ["promptLossWeight"] },
);

/** The weight of a token in float64, as docs/data.md says it. */
function weightOf(row: TokenRow, place: number, policy: WeightPolicy): number {
  const name = TOKEN_CLASSES[row.classes[place]!]!;
  const fromData = row.partWeights?.[place];
  if (typeof fromData === "number") return fromData * row.rowWeight;
  const other = partOfClass(name) === "prompt" ? policy.promptLossWeight : (policy.completionWeight ?? 1);
  const ofClass = policy.perClass?.[name] ?? (name === "end" ? 1 : other);
  return ofClass * (row.scales?.[place] ?? 1) * row.rowWeight;
}

describe("the page's arithmetic", () => {
  test("every token's weight is what the policy says", () => {
    fc.assert(
      fc.property(tokenRows, policies, (rows, policy) => {
        const { rows: weighed } = weighRows(rows.map(classifiedRow), policy);
        // Weights are float32: the nearest of them to the number, after at most three products.
        for (const [i, row] of rows.entries())
          for (const place of row.ids.keys())
            expect(weighed[i]!.tokens.weights[place]).toBeCloseTo(
              Math.fround(weightOf(row, place, policy)),
              6,
            );
      }),
    );
  });

  test.each(NORMALIZATIONS)(
    "shares under %s are the reference loss's where all losses are alike",
    (normalization) => {
      fc.assert(
        fc.property(
          tokenRows,
          policies,
          fc.constantFrom(undefined, "all" as const),
          (rows, policy, ownDenominator) => {
            const weighed = weighRows(rows.map(classifiedRow), policy);
            const settings = { normalization, ownDenominator };
            const found = sharesOf(weighed, settings);
            const loss = (part?: string): number =>
              referenceLoss(
                weighed.rows.map(({ tokens: row }) => ({
                  row,
                  losses: Float64Array.from(row.classes, (code) =>
                    part === undefined || partOfClass(TOKEN_CLASSES[code]!) === part ? 1 : 0,
                  ),
                })),
                { ...settings, promptShare: policy.promptLossWeight },
              );
            const whole = loss();
            if (typeof found === "string")
              return void expect(Number.isFinite(whole) && whole > 0).toBe(false);
            for (const part of ["prompt", "content", "end"] as const)
              expect(found.parts[part]).toBeCloseTo(whole === 0 ? 0 : loss(part) / whole, 10);
          },
        ),
      );
    },
  );

  test("measured shares are the reference loss's of the rows whose losses are known", () => {
    fc.assert(
      fc.property(tokenRows, policies, fc.constantFrom(...NORMALIZATIONS), (rows, policy, normalization) => {
        const weighed = weighRows(rows.map(classifiedRow), policy);
        const losses = rows.map(({ ids }, r) =>
          r % 2 === 1 ? undefined : ids.slice(1).map((id, i) => 0.1 + Math.sin(id + r + i) ** 2),
        );
        const found = measuredSharesOf(weighed, losses, { normalization });
        const loss = (part?: string): number =>
          referenceLoss(
            weighed.rows.flatMap(({ tokens: row }, r) => {
              const of = losses[r];
              if (of === undefined) return [];
              const counts = (code: number): boolean =>
                part === undefined || partOfClass(TOKEN_CLASSES[code]!) === part;
              return [
                {
                  row,
                  losses: Float64Array.from(row.classes, (code, i) => (counts(code) ? (of[i - 1] ?? 0) : 0)),
                },
              ];
            }),
            { normalization, promptShare: policy.promptLossWeight },
          );
        const whole = loss();
        if (typeof found === "string") return void expect(Number.isFinite(whole) && whole > 0).toBe(false);
        for (const part of ["prompt", "content", "end"] as const)
          expect(found.parts[part]).toBeCloseTo(whole === 0 ? 0 : loss(part) / whole, 10);
      }),
    );
  });

  test("rows that are too long are cut, dropped and refused as training does it", () => {
    fc.assert(
      fc.property(
        tokenRows,
        fc.integer({ min: 2, max: 12 }),
        fc.constantFrom(...OVERFLOW_POLICIES),
        fc.option(fc.nat(99), { nil: undefined }),
        (rows, maxLength, how, bosId) => {
          const overflow = { maxLength, policy: how, bosId };
          const all = rows.map(classifiedRow);
          const { rows: weighed, totals } = weighRows(all, { promptLossWeight: 0.1 }, overflow);
          const kept = all.flatMap((row, i) => {
            const whole = weighTokens(row, resolveWeightPolicy({ promptLossWeight: 0.1 }));
            const { fit, cut, kept: left } = weighed[i]!;
            if (how === "error" && whole.length > maxLength) {
              expect(fit).toBe("refused");
              return [];
            }
            const expected = fitTokens(whole, overflow);
            expect(fit).toBe(expected.kind);
            const places = [...whole.ids].filter((_, place) => place < cut[0] || place >= cut[1]);
            expect(places).toEqual([...(expected.tokens?.ids ?? [])]);
            expect(left).toEqual(expected.tokens);
            return expected.tokens ?? [];
          });
          expect(totals).toEqual(lossTotals(kept));
        },
      ),
    );
  });

  test("rows without a trained token have no loss, and the reason is said", () => {
    const row: TokenRow = {
      row: 1,
      ids: [1, 2],
      classes: [1, 1],
      texts: ["a", "b"],
      special: [],
      rowWeight: 1,
    };
    const weighed = weighRows([classifiedRow(row)], { promptLossWeight: 0 });
    expect(sharesOf(weighed, { normalization: "weight-sum" })).toMatch(/weight-sum divides by 0/);
    expect(weighed.totals).toEqual(lossTotals(weighed.rows.map(({ tokens }) => tokens)));
  });
});

describe("the slider's scale", () => {
  test("reaches 0 and 1 exactly, rises at every step, and finds its steps again", () => {
    const weights = Array.from({ length: LAST_STEP + 1 }, (_, step) => weightOfStep(step));
    expect([weights[0], weights[20], weights[120], weights[220], weights.at(-1)]).toEqual([
      0, 0.001, 0.01, 0.1, 1,
    ]);
    for (const [step, weight] of weights.entries()) {
      expect(stepOfWeight(weight)).toBe(step);
      if (step > 0) expect(weight).toBeGreaterThan(weights[step - 1]!);
    }
  });

  test("no weight but 0 is at 0", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1, noNaN: true }), (weight) => {
        expect(stepOfWeight(weight)).toBeGreaterThan(0);
      }),
    );
  });
});

describe("rows as JSON lines", () => {
  const convert = (text: string, name = "rows") =>
    jsonLinesOf({ text, name }, { emptyCompletions: "skip" }).then(({ text: all }) => all);

  test("keep numbers and keys as they are, and leave out what can't be used", async () => {
    const call = '{"name": "f", "arguments": {"x": 1.0, "10": 2, "9": 12345678901234567890}}';
    const good = `{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "tool_calls": [{"type": "function", "function": ${call}}]}]}`;
    const all = await convert(`[${good}, {"messages": []}, 3]`);
    expect(all).toBe(`${good}\n`);
  });

  test("CSV and text become rows that read as before", async () => {
    expect(await convert('prompt,completion\n1,"a, b"\n,\nc,d\n', "x.csv")).toBe(
      '{"prompt":"1","completion":"a, b"}\n{"prompt":"c","completion":"d"}\n',
    );
    expect(await convert("one\n\ntwo\n", "x.txt")).toBe('{"text":"one"}\n{"text":"two"}\n');
    expect(await refusal(convert("{}\n"))).toMatch(/^400 text/);
  });
});
