import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { rowOfLength } from "../../../test/tokens.ts";
import { TOKEN_CLASSES } from "../example.ts";
import {
  CLASS_CODE,
  type ClassifiedTokens,
  concatenate,
  fitTokens,
  OVERFLOW_POLICIES,
  resolveWeightPolicy,
  TokenRowError,
  WeightError,
  WeightedRows,
  WeightedTokens,
  type WeightPolicy,
  weighTokens,
} from "./index.ts";

const PROMPT_CODES = [
  ...[CLASS_CODE.system, CLASS_CODE.instruction, CLASS_CODE.input, CLASS_CODE.template],
  ...[CLASS_CODE["tool-definition"], CLASS_CODE["tool-result"]],
];

function classified(classes: number[], more: Partial<ClassifiedTokens> = {}): ClassifiedTokens {
  return {
    ids: Int32Array.from(classes, (_, i) => 10 + i),
    classes: Uint8Array.from(classes),
    partWeights: undefined,
    rowWeight: 1,
    source: { file: "d.jsonl", row: 3 },
    ...more,
  };
}

const anyRow = fc
  .array(fc.constantFrom(...TOKEN_CLASSES.keys()), { minLength: 1, maxLength: 40 })
  .map((classes) => classified(classes));

function weigh(row: ClassifiedTokens, policy: WeightPolicy): number[] {
  return [...weighTokens(row, resolveWeightPolicy(policy)).weights];
}

describe("weight policy", () => {
  test("PLW 0 is the mask, PLW 1 all ones, and between them only the prompt moves", () => {
    fc.assert(
      fc.property(anyRow, fc.float({ min: 0, max: 1, noNaN: true }), (row, plw) => {
        const isPrompt = [...row.classes].map((code) => PROMPT_CODES.includes(code));
        expect(weigh(row, { promptLossWeight: 0 })).toEqual(isPrompt.map((prompt) => (prompt ? 0 : 1)));
        expect(weigh(row, { promptLossWeight: 1 })).toEqual(isPrompt.map(() => 1));
        expect(weigh(row, { promptLossWeight: plw })).toEqual(isPrompt.map((prompt) => (prompt ? plw : 1)));
      }),
    );
  });

  test("a class's weight, a part's, a function and the row's, in that order", () => {
    const all = classified([0, 1, 2, 3, 4, 5]);
    const policy = {
      promptLossWeight: 0.5,
      completionWeight: 0.75,
      perClass: { template: 0, instruction: 0.25 },
    };
    expect(weigh(all, policy)).toEqual([0.5, 0.25, 0.5, 0, 0.75, 1]);
    const partWeights = Float32Array.of(Number.NaN, 4, Number.NaN, Number.NaN, 0, Number.NaN);
    expect(weigh({ ...all, partWeights }, policy)).toEqual([0.5, 4, 0.5, 0, 0, 1]);
    const tokenWeight: WeightPolicy["tokenWeight"] = ({ weight, index, id, class: name }) =>
      id === 10 + index && name === TOKEN_CLASSES[index] ? weight + index : -1;
    expect(weigh({ ...all, partWeights, rowWeight: 2 }, { ...policy, tokenWeight })).toEqual([
      1, 10, 5, 6, 8, 12,
    ]);
  });

  test.each([
    [{ promptLossWeight: -0.1 }, "promptLossWeight: -0.1 is not a finite number"],
    [{ promptLossWeight: Number.NaN }, "promptLossWeight"],
    [{ promptLossWeight: "0.1" }, "promptLossWeight"],
    [{}, "promptLossWeight: undefined"],
    [{ promptLossWeight: 0, completionWeight: Number.POSITIVE_INFINITY }, "completionWeight"],
    [{ promptLossWeight: 0, perClass: { end: -1 } }, "perClass.end"],
    [{ promptLossWeight: 0, perClass: { prompt: 1 } }, "perClass.prompt: there is no such weight"],
    [{ promptLossWeight: 0, plw: 1 }, "plw: there is no such weight"],
    [{ promptLossWeight: 0, completionWeight: 1, perClass: { completion: 1 } }, "says the same thing again"],
    [{ promptLossWeight: 0, tokenWeight: 3 }, "tokenWeight: should be a function"],
  ])("refuses %j", (policy, message) => {
    expect(() => resolveWeightPolicy(policy as WeightPolicy)).toThrow(WeightError);
    expect(() => resolveWeightPolicy(policy as WeightPolicy)).toThrow(message);
  });

  test("a function's bad weight names row and token", () => {
    const tokenWeight = ({ index }: { index: number }): number => (index === 1 ? Number.NaN : 1);
    expect(() => weigh(classified([1, 4]), { promptLossWeight: 0, tokenWeight })).toThrow(
      "d.jsonl, row 3: tokenWeight of token 1: NaN",
    );
  });

  test("warns when the stop token weighs nothing", () => {
    expect(resolveWeightPolicy({ promptLossWeight: 0 }).warnings).toEqual([]);
    expect(resolveWeightPolicy({ promptLossWeight: 0, perClass: { end: 0 } }).warnings.join()).toContain(
      "not taught to stop",
    );
  });
});

describe("WeightedTokens", () => {
  test("is frozen, and refuses arrays that do not belong together", () => {
    const row = rowOfLength(3);
    expect(Object.isFrozen(row)).toBe(true);
    expect(() => WeightedTokens.of({ ...fieldsOf(row), weights: new Float32Array(2) })).toThrow(
      "3 ids, 3 classes, 2 weights",
    );
    expect(() => WeightedTokens.of({ ...fieldsOf(row), weights: Float32Array.of(1, -1, 1) })).toThrow(
      "token 1 weighs -1",
    );
    expect(() => WeightedTokens.of({ ...fieldsOf(row), classes: Uint8Array.of(1, 10, 1) })).toThrow(
      "token 1 has class 10",
    );
  });

  test("ids, classes and weights never part", () => {
    // Class and weight are functions of the id, so a token that lost its own would show.
    const tagged = (length: number): WeightedTokens =>
      WeightedTokens.of({
        ids: Int32Array.from({ length }, (_, i) => i),
        classes: Uint8Array.from({ length }, (_, i) => i % 6),
        weights: Float32Array.from({ length }, (_, i) => i / 8),
        source: { file: "d", row: 1 },
      });
    const belongs = ({
      ids,
      classes,
      weights,
    }: Pick<WeightedTokens, "ids" | "classes" | "weights">): boolean =>
      classes.length === ids.length &&
      weights.length === ids.length &&
      ids.every((id, i) => classes[i] === id % 6 && weights[i] === id / 8);
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.integer({ min: -60, max: 60 }),
        fc.integer({ min: -60, max: 60 }),
        (length, a, b) => {
          const row = tagged(length);
          const sliced = row.slice(a, b);
          expect(belongs(sliced)).toBe(true);
          expect([...sliced.ids]).toEqual([...row.ids].slice(a, b));
          const [start, end] = [Math.abs(a), Math.abs(a) + Math.abs(b)];
          const rest = row.without(start, end);
          expect(belongs(rest)).toBe(true);
          expect([...rest.ids]).toEqual([...row.ids].filter((id) => id < start || id >= end));
          expect(belongs(concatenate([row, sliced, rest]))).toBe(true);
        },
      ),
    );
  });
});

function fieldsOf({ ids, classes, weights, source }: WeightedTokens) {
  return { ids, classes, weights, source };
}

describe("overflow", () => {
  // BOS, four prompt tokens, three completion tokens, the stop token.
  const row = weighTokens(
    classified([3, 1, 1, 2, 3, 4, 4, 4, 5]),
    resolveWeightPolicy({ promptLossWeight: 0.5 }),
  );
  const ids = (
    policy: (typeof OVERFLOW_POLICIES)[number],
    maxLength: number,
    bosId?: number,
  ): number[] | string => {
    const fit = fitTokens(row, { policy, maxLength, bosId });
    return fit.tokens === undefined ? fit.kind : [...fit.tokens.ids];
  };

  test("each way", () => {
    expect(ids("drop", 9)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18]);
    expect(ids("drop", 8)).toBe("dropped");
    expect(ids("truncate-completion", 6)).toEqual([10, 11, 12, 13, 14, 15]);
    expect(ids("truncate-prompt", 7, 10)).toEqual([10, 13, 14, 15, 16, 17, 18]);
    expect(ids("truncate-prompt", 5, 10)).toEqual([10, 15, 16, 17, 18]);
    expect(ids("truncate-prompt", 7)).toEqual([12, 13, 14, 15, 16, 17, 18]);
    expect(ids("truncate-prompt", 4, 10)).toBe("no-room");
    expect(() => ids("error", 8)).toThrow(
      "d.jsonl, row 3: 9 tokens, 1 more than the longest row may have (8)",
    );
  });

  test("whatever the way, a row that stays fits, keeps its weights, and truncate-prompt keeps the answer", () => {
    fc.assert(
      fc.property(
        anyRow,
        fc.integer({ min: 2, max: 45 }),
        fc.constantFrom(...OVERFLOW_POLICIES.slice(0, 3)),
        (raw, maxLength, policy) => {
          const tokens = weighTokens(
            raw,
            resolveWeightPolicy({ promptLossWeight: 0.25, perClass: { input: 0.125 } }),
          );
          const fit = fitTokens(tokens, { policy, maxLength, bosId: 10 });
          if (fit.tokens === undefined) return;
          expect(fit.tokens.length).toBeLessThanOrEqual(maxLength);
          for (const [i, id] of fit.tokens.ids.entries()) {
            expect(fit.tokens.classes[i]).toBe(tokens.classes[id - 10]);
            expect(fit.tokens.weights[i]).toBe(tokens.weights[id - 10]);
          }
          if (policy !== "truncate-prompt") return;
          const answers = (row: WeightedTokens): number =>
            row.classes.filter((code) => code >= CLASS_CODE.completion).length;
          expect(answers(fit.tokens)).toBe(answers(tokens));
        },
      ),
    );
  });

  test("settings that make no sense are refused", () => {
    const make = (overflow: object) => () =>
      new WeightedRows([], { weights: { promptLossWeight: 0 }, overflow: overflow as never });
    expect(make({ maxLength: 1, policy: "drop" })).toThrow("maxLength: 1 is not a whole number");
    expect(make({ maxLength: 8, policy: "cut" })).toThrow('overflow: "cut"');
  });
});

describe("WeightedRows", () => {
  const weights = { promptLossWeight: 0 };
  test("counts what it did, row by row", () => {
    const rows = [classified([1, 4, 5]), classified([1, 1, 1, 4, 5]), classified([1, 4, 4, 4, 4, 5])];
    const set = new WeightedRows(rows, {
      weights: { promptLossWeight: 0.5 },
      overflow: { maxLength: 4, policy: "truncate-prompt" },
    });
    expect(set.report.overflow).toEqual({
      dropped: 0,
      promptCut: 1,
      completionCut: 0,
      noRoom: 1,
      tokensCut: 1,
    });
    expect(set.report.tokens).toMatchObject({ instruction: 3, completion: 2, end: 2 });
    expect(set.report.weights).toMatchObject({ instruction: 0.5, completion: 2, end: 2 });
    expect([...set.lengths]).toEqual([3, 4]);
    expect([...set.at(1).ids]).toEqual([11, 12, 13, 14]);
    expect(() => set.at(2)).toThrow(RangeError);
  });

  test.each([
    [[1, 1, 3], {}, "the row has no trained completion"],
    [[1, 4, 5], { rowWeight: 0 }, "all 3 tokens weigh 0"],
    [[4], {}, "its one token weighs 0"],
    [[1, 1, 1, 1, 4], {}, "cutting to 4 tokens left no completion"],
  ])("a row that ends without a trained token is an error naming it: %j", (classes, more, message) => {
    const rows = [classified([1, 4, 5]), classified(classes as number[], more)];
    const overflow = { maxLength: 4, policy: "truncate-completion" } as const;
    const make = () => new WeightedRows(rows, { weights, overflow });
    expect(make).toThrow(TokenRowError);
    expect(make).toThrow(`d.jsonl, row 3: no token is trained on: ${message}`);
    const set = new WeightedRows(rows, { weights, overflow, onBadRow: "skip" });
    expect(set.length).toBe(1);
    expect(set.report.skipped).toMatchObject([{ cause: "untrained" }]);
  });
});
