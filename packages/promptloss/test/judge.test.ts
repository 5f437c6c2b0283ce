// Judging without a network: prompts, answers read, rates, lengths, files.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import {
  type Judge,
  judgePairs,
  lengthControlledWinRate,
  type OutputPair,
  pairOutputs,
  readOutputs,
  readRanking,
  type Verdict,
  winRate,
} from "../src/evaluation/judges/index.ts";
import { PANDALM } from "../src/evaluation/judges/pandalm.ts";
import { parsePythonLiteral } from "../src/evaluation/judges/python-literal.ts";
import { sharedPath } from "./shared.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "promptloss-judge-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function pair(i: number, changes: Partial<OutputPair> = {}): OutputPair {
  return {
    instruction: `Question ${i}`,
    input: "",
    candidate: `candidate ${i}`,
    reference: `reference ${i}`,
    ...changes,
  };
}

/** A judge that is a function of what it reads, and counts how often it is asked. */
function scripted(answer: (text: string) => string): Judge & { asked: string[] } {
  const asked: string[] = [];
  return {
    name: "scripted",
    identity: "scripted",
    asked,
    async reply(requests, onReply) {
      requests.forEach(({ prompt }, i) => {
        const text =
          "text" in prompt ? prompt.text : prompt.messages.map(({ content }) => content).join("\n");
        asked.push(text);
        onReply(i, answer(text));
      });
    },
  };
}

function ranking(first: number): string {
  return `[{'model': 'model_1', 'rank': ${first}}, {'model': 'model_2', 'rank': ${3 - first}}]`;
}

describe("rankings", () => {
  test("reads a Python list of dictionaries, and nothing else", () => {
    expect(readRanking(ranking(1))).toBe(1);
    expect(readRanking(`\n${ranking(2)}\n`)).toBe(2);
    expect(readRanking(`[{"rank": 2, "model": "model_2"}, {"rank": 1, "model": "model_1",},]`)).toBe(1);
    expect(readRanking(`({'model': 'model_1', 'rank': 2.0},)`)).toBe(2);
    for (const other of [
      "",
      "model_1",
      `Here it is: ${ranking(1)}`,
      `\`\`\`python\n${ranking(1)}\n\`\`\``,
      ranking(3),
      "[{'model': 'model_1', 'rank': 1}, {'rank': 2}]",
      "[{'model': 'model_1'}]",
      "[{'model': 'model_1', 'rank': '1'}]",
      "[{'model': 'model_2', 'rank': 1}]",
      "[{'model': 'model_1', 'rank': 1}",
      "{'model': 'model_1', 'rank': 1}",
    ])
      expect([other, readRanking(other)]).toEqual([other, undefined]);
  });

  test("Python literals: what repr writes is read back", () => {
    const literal = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.boolean(),
        fc.constant(null),
        fc.integer(),
        fc.string(),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z' "]*$/), tie("value"), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value;
    const repr = (value: unknown): string => {
      if (value === null) return "None";
      if (typeof value === "boolean") return value ? "True" : "False";
      if (typeof value === "number") return String(value);
      if (typeof value === "string") return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
      if (Array.isArray(value)) return `[${value.map(repr).join(", ")}]`;
      return `{${Object.entries(value as object)
        .map(([key, each]) => `${repr(key)}: ${repr(each)}`)
        .join(", ")}}`;
    };
    fc.assert(
      fc.property(literal, (value) => {
        expect(parsePythonLiteral(repr(value))).toEqual(value);
      }),
    );
    // Nothing that a judge says may do more than fail, and in no time.
    fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => void parsePythonLiteral(text)));
    expect(parsePythonLiteral("[".repeat(100_000))).toBeUndefined();
  });
});

describe("AlpacaEval's protocol", () => {
  const pairs = Array.from({ length: 200 }, (_, i) => pair(i));

  test("shows both answers in a drawn order, and undoes it", async () => {
    const candidates = scripted((text) => ranking(/"model_1",\s+"answer": """candidate/.test(text) ? 1 : 2));
    const judged = await judgePairs(pairs, candidates, { protocol: "alpaca-eval", seed: 4 });
    expect(judged).toMatchObject({ wins: 200, losses: 0, winRate: 100, standardError: 0 });
    const first = await judgePairs(
      pairs,
      scripted(() => ranking(1)),
      { protocol: "alpaca-eval", seed: 4 },
    );
    const switched = judged.pairs.filter((each) => each.switched).length;
    // A fair coin's 200 throws: seven standard deviations of room.
    expect(Math.abs(switched - 100)).toBeLessThan(50);
    expect(first).toMatchObject({ wins: 200 - switched, losses: switched });
    const orders = (seed: number) =>
      judgePairs(pairs, candidates, { protocol: "alpaca-eval", seed }).then(({ pairs }) =>
        pairs.map((each) => each.switched),
      );
    expect(await orders(4)).toEqual(judged.pairs.map((each) => each.switched));
    expect(await orders(5)).not.toEqual(await orders(4));
  });

  test("asks with AlpacaEval's words, and lets no text pass for a place to fill", async () => {
    const odd = pair(1, { input: "In {output_1}", candidate: "$& {instruction}", reference: "{output_2}" });
    const judge = scripted(() => ranking(1));
    await judgePairs([odd], judge, { protocol: "alpaca-eval", seed: 1 });
    expect(judge.asked[0]).toMatchInlineSnapshot(`
      "You are a helpful assistant, that ranks models by the quality of their answers.
      I want you to create a leaderboard of different of large-language models. To do so, I will give you the instructions (prompts) given to the models, and the responses of two models. Please rank the models based on which responses would be preferred by humans. All inputs and outputs should be python dictionaries.

      Here is the prompt:
      {
          "instruction": """Question 1

      In {output_1}""",
      }

      Here are the outputs of the models:
      [
          {
              "model": "model_1",
              "answer": """{output_2}"""
          },
          {
              "model": "model_2",
              "answer": """$& {instruction}"""
          }
      ]

      Now please rank the models by the quality of their answers, so that the model with rank 1 has the best output. Then return a list of the model names and ranks, i.e., produce the following output:
      [
          {'model': <model-name>, 'rank': <model-rank>},
          {'model': <model-name>, 'rank': <model-rank>}
      ]

      Your response must be a valid Python dictionary and should contain nothing else because we will directly execute it in Python. Please provide the ranking that the majority of humans would give."
    `);
  });

  test("equal answers are a draw unasked; what is no ranking counts in no rate", async () => {
    const draw = pair(0, { reference: "candidate 0" });
    const judge = scripted((text) => (text.includes("Question 1") ? "I like both" : ranking(1)));
    const rest = [2, 3, 4].map((i) => pair(i));
    const judged = await judgePairs([draw, pair(1), ...rest], judge, { protocol: "alpaca-eval" });
    expect(judge.asked).toHaveLength(4);
    expect(judged).toMatchObject({ ties: 1, unreadable: 1, n: 4 });
    expect(judged.wins + judged.losses).toBe(3);
    expect(judged.pairs.slice(0, 2).map(({ verdict }) => verdict)).toEqual(["tie", "unreadable"]);
    await expect(judgePairs([pair(1)], judge, { protocol: "alpaca-eval" })).rejects.toThrow(
      "none of 1 reply of scripted is a verdict",
    );
  });
});

describe("PandaLM's protocol", () => {
  test("continues PandaLM's text, the candidate first", async () => {
    const judge = scripted(() => "1\n\n### Reason: shorter\n\n### Reference: x\n");
    const odd = pair(1, { input: "In", candidate: " a</s> ", reference: "<s>b" });
    const judged = await judgePairs([odd, pair(2)], judge, { protocol: "pandalm" });
    expect(judged).toMatchObject({ wins: 2, n: 2 });
    expect(judge.asked).toMatchInlineSnapshot(`
      [
        "Below are two responses for a given task. The task is defined by the Instruction with an Input that provides further context. Evaluate the responses and generate a reference answer for the task.

      ### Instruction:
      Question 1

      ### Input:
      In

      ### Response 1:
      a

      ### Response 2:
      b

      ### Evaluation:
      ",
        "Below are two responses for a given task. The task is defined by the Instruction. Evaluate the responses and generate a reference answer for the task.

      ### Instruction:
      Question 2

      ### Response 1:
      candidate 2

      ### Response 2:
      reference 2

      ### Evaluation:
      ",
      ]
    `);
  });

  test.each([
    ["1", "win"],
    [" 2\n1", "lose"],
    ["Tie", "tie"],
    ["TIE\nbecause", "tie"],
    ["1.", "unreadable"],
    ["", "unreadable"],
  ] as const)("reads %j as %s", (answer, verdict) => {
    expect(PANDALM.read(answer, { switched: false })).toBe(verdict);
  });

  test("what it can't read is a tie", async () => {
    const judge = scripted((text) => (text.includes("Question 1") ? "well" : "2"));
    const judged = await judgePairs([pair(1), pair(2)], judge, { protocol: "pandalm" });
    expect(judged).toMatchObject({ ties: 1, losses: 1, unreadable: 1, n: 2, winRate: 25 });
  });
});

describe("rates", () => {
  test("the win rate is the mean of wins and half draws, with a mean's standard error", () => {
    const verdicts: Verdict[] = ["win", "win", "tie", "lose", "unreadable"];
    // Scores 1, 1, ½, 0: mean 5/8, variance 11/48, over 4.
    expect(winRate(verdicts)).toEqual({
      wins: 2,
      losses: 1,
      ties: 1,
      unreadable: 1,
      n: 4,
      winRate: 62.5,
      standardError: 100 * Math.sqrt(11 / 48 / 4),
    });
  });

  test("a single verdict has no standard error, and none at all no rate", () => {
    expect(winRate(["win", "unreadable"])).not.toHaveProperty("standardError");
    expect(() => winRate(["unreadable"])).toThrow(/none of the 1 verdicts/);
    expect(() => winRate([])).toThrow(/none of the 0 verdicts/);
  });

  test("roles exchanged, rates add up to 100", () => {
    const verdict = fc.constantFrom<Verdict>("win", "lose", "tie");
    const other = { win: "lose", lose: "win", tie: "tie", unreadable: "unreadable" } as const;
    fc.assert(
      fc.property(fc.array(verdict, { minLength: 2 }), (verdicts) => {
        const [one, two] = [winRate(verdicts), winRate(verdicts.map((each) => other[each]))];
        // Sums of halves are exact; the division and the product round.
        expect(one.winRate + two.winRate).toBeCloseTo(100, 10);
        expect(one.standardError).toBeCloseTo(two.standardError!, 10);
      }),
    );
  });
});

describe("the length-controlled win rate", () => {
  const { cases } = JSON.parse(readFileSync(new URL("./judge/length-control.json", import.meta.url), "utf8"));

  test.each([0, 1, 2])("is what statsmodels says, case %i", (i) => {
    const { verdicts, ...wanted } = cases[i];
    const found = lengthControlledWinRate(verdicts)!;
    // Both end their steps where the likelihood is flat to rounding.
    for (const key of ["winRate", "standardError", "lengthCoefficient"] as const)
      expect(found[key] / wanted[key]).toBeCloseTo(1, 9);
  });

  test("has no estimate where lengths say nothing or all", () => {
    const verdict = (score: number, candidate: number) => ({ score, candidate, reference: 10 });
    expect(lengthControlledWinRate([verdict(1, 5), verdict(0, 5)])).toBeUndefined();
    expect(lengthControlledWinRate([verdict(1, 5), verdict(1, 50), verdict(1, 20)])).toBeUndefined();
    expect(
      lengthControlledWinRate([verdict(0, 5), verdict(0, 8), verdict(1, 20), verdict(1, 50)]),
    ).toBeUndefined();
    expect(lengthControlledWinRate([])).toBeUndefined();
  });

  test("has a standard error where those of equal lengths, which decide the rate, are all draws", () => {
    const verdicts = [0.5, 1, 0, 0, 0, 0, 0, 0].map((score) => ({
      score,
      candidate: score === 0.5 ? 10 : 20,
      reference: 10,
    }));
    const { winRate: rate, standardError } = lengthControlledWinRate(verdicts)!;
    expect(rate).toBeCloseTo(50, 9);
    expect(standardError).toBeCloseTo(0, 9);
  });

  test("counts characters, not UTF-16's halves of them", async () => {
    const pairs = [0, 1, 2, 3, 4, 5].map((i) => pair(i, { candidate: "a".repeat(3 * i + 1) }));
    const judge = scripted((text) => (/Question [025]/.test(text) ? "1" : "2"));
    const control = async (letter: string) => {
      const written = pairs.map((each) => ({ ...each, candidate: each.candidate.replaceAll("a", letter) }));
      return (await judgePairs(written, judge, { protocol: "pandalm" })).lengthControlled;
    };
    expect(await control("😀")).toEqual(await control("a"));
    expect(await control("a")).toBeDefined();
  });
});

describe("files", () => {
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  test("outputs meet their references by instruction and input, twins in their order", () => {
    const row = (instruction: string, output: string, input?: string) => ({ instruction, output, input });
    const outputs = file(
      "outputs.jsonl",
      `${[row("a", "1"), row("b", "2", "x"), row("a", "3")].map((each) => JSON.stringify(each)).join("\n\n")}\n`,
    );
    const references = file(
      "references.json",
      JSON.stringify([
        row("b", "B", "y"),
        row("a", "A1"),
        row("b", "Bx", "x"),
        row("a", "A2"),
        row("c", "C"),
      ]),
    );
    expect(pairOutputs(readOutputs(outputs), readOutputs(references))).toEqual([
      { instruction: "a", input: "", candidate: "1", reference: "A1" },
      { instruction: "b", input: "x", candidate: "2", reference: "Bx" },
      { instruction: "a", input: "", candidate: "3", reference: "A2" },
    ]);
  });

  test("says which row is wrong", () => {
    const at = (work: () => unknown): string => {
      try {
        work();
      } catch (error) {
        return String(error).replaceAll(`${folder}/`, "");
      }
      throw new Error("nothing was wrong");
    };
    const lone = [{ instruction: "a", input: "", output: "b" }];
    expect([
      at(() => readOutputs(join(folder, "none"))).replace(/:.*/, ""),
      at(() => readOutputs(file("empty.jsonl", "\n"))),
      at(() => readOutputs(file("bad.jsonl", '{"instruction": "a", "output": "b"}\n\n{'))).replace(
        /JSON:.*/,
        "JSON",
      ),
      at(() => readOutputs(file("keys.jsonl", '{"instruction": "a", "text": "b"}\n'))),
      at(() => pairOutputs(lone, [{ ...lone[0]!, input: "x" }], { file: "o.jsonl" })),
    ]).toMatchInlineSnapshot(`
      [
        "none",
        "empty.jsonl: has no rows",
        "bad.jsonl, row 3: is not JSON",
        "keys.jsonl, row 1: output: is missing; expected a text
      hint: a row has the texts instruction and output, and may have input",
        "o.jsonl, row 1: there is no reference for "a"
      hint: instruction and input must be the same texts in both files",
      ]
    `);
  });

  const alpaca = sharedPath("data", "eval", "alpaca_eval", "text_davinci_003.jsonl");
  needs("shared", alpaca).test(`AlpacaEval's 805`, () => {
    const rows = readOutputs(alpaca!);
    expect(pairOutputs(rows, rows)).toHaveLength(805);
  });
});

describe("the cache", () => {
  const pairs = [0, 1, 2, 3].map((i) => pair(i));
  const options = { protocol: "alpaca-eval" } as const;

  test("asks nothing twice: not in a run, not in the next, not after a cut", async () => {
    const cache = join(folder, "deep", "cache.jsonl");
    const judge = scripted(() => ranking(1));
    const first = await judgePairs([...pairs, pairs[0]!], judge, { ...options, cache });
    expect([judge.asked.length, first.fromCache]).toEqual([4, 0]);
    const again = await judgePairs(pairs, judge, { ...options, cache });
    expect([judge.asked.length, again.fromCache]).toEqual([4, 4]);
    expect(again.pairs).toEqual(first.pairs.slice(0, 4));
    // Cut off in the midst of a line: that answer is asked for again, and later lines stay whole.
    const text = readFileSync(cache, "utf8");
    writeFileSync(cache, text.slice(0, -20));
    expect((await judgePairs(pairs, judge, { ...options, cache })).fromCache).toBe(3);
    appendFileSync(cache, "rubbish\n");
    expect((await judgePairs(pairs, judge, { ...options, cache })).fromCache).toBe(4);
    expect(judge.asked).toHaveLength(5);
  });

  test("keeps what a judge said before it failed", async () => {
    const cache = join(folder, "failed.jsonl");
    const failing: Judge = {
      name: "scripted",
      identity: "scripted",
      async reply(_, onReply) {
        onReply(2, ranking(1));
        throw new Error("gone");
      },
    };
    await expect(judgePairs(pairs, failing, { ...options, cache })).rejects.toThrow("gone");
    const judge = scripted(() => ranking(1));
    const seen: number[] = [];
    await judgePairs(pairs, judge, { ...options, cache, onProgress: (judged) => seen.push(judged) });
    expect(judge.asked).toHaveLength(3);
    expect(seen).toEqual([1, 2, 3, 4]);
  });

  test("answers of another judge, order or protocol are others", async () => {
    const cache = join(folder, "others.jsonl");
    const judge = scripted(() => ranking(1));
    await judgePairs(pairs, judge, { ...options, cache });
    const other = { ...scripted(() => ranking(1)), identity: "other" };
    expect((await judgePairs(pairs, other, { ...options, cache })).fromCache).toBe(0);
    expect((await judgePairs(pairs, judge, { protocol: "pandalm", cache })).fromCache).toBe(0);
  });
});
