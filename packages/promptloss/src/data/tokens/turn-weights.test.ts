// A turn's weight covers its words and all that a template writes for it: in every template.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { needs } from "../../../../../test/needs.ts";
import { conversation } from "../../../test/examples.ts";
import { jsonl, read } from "../../../test/row-files.ts";
import { GOLDEN_FOLDERS, TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import { tokenizeAll } from "../../../test/tokens.ts";
import type { Turn } from "../example.ts";
import { CLASS_OF_ROLE, part, turn } from "../rows/formats/turns.ts";
import type { TemplateSpec } from "../templates/index.ts";
import { loadTokenizer, type Tokenizer } from "../tokenizer/index.ts";
import { CLASS_CODE, resolveWeightPolicy, type WeightPolicy, weighTokens } from "./index.ts";

const words = fc.oneof(
  fc.constantFrom("Why?", " the answer\n", "😀 ok", "1", "a\n\nb", "<|im_end|>"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }).filter((text) => text.trim() !== ""),
);

function said(role: Turn["role"], text: string, weight?: number): Turn {
  return turn(role, [part(CLASS_OF_ROLE[role], text)], weight);
}

/** Texts of a conversation of so many exchanges, with or without a system turn before. */
function texts(exchanges: number, system: boolean): fc.Arbitrary<[Turn["role"], string][]> {
  return fc
    .array(words, { minLength: 2 * exchanges, maxLength: 2 * exchanges })
    .chain((list) =>
      fc.tuple(fc.constant(list), system ? fc.option(words, { nil: undefined }) : fc.constant(undefined)),
    )
    .map(([list, first]) => {
      const talk = list.map((text, i): [Turn["role"], string] => [i % 2 === 0 ? "user" : "assistant", text]);
      return first === undefined ? talk : [["system", first], ...talk];
    });
}

const LONG = texts(2, true);
const NO_SYSTEM = texts(2, false);
const SHORT = texts(1, false);

async function weighed(
  tokenizer: Tokenizer,
  spec: TemplateSpec,
  turns: readonly Turn[],
  policy: WeightPolicy,
): Promise<{ ids: number[]; classes: Uint8Array; weights: Float32Array }> {
  const { rows } = await tokenizeAll(tokenizer, spec, [conversation(...turns)]);
  const { ids, classes, weights } = weighTokens(rows[0]!, resolveWeightPolicy(policy));
  return { ids: [...ids], classes, weights };
}

const cases: [name: string, folder: string | undefined, spec: TemplateSpec, talks: typeof LONG][] = [
  ["alpaca", TINY_BYTES, "alpaca", SHORT],
  ["plain", TINY_PIECES, "plain", SHORT],
  ["a string", TINY_BYTES, "Q: {instruction}\nA:{begin} {output}{stop:<|im_end|>} !", SHORT],
  ["chatml", TINY_BYTES, "chatml", LONG],
  ["llama2", TINY_PIECES, "llama2", LONG],
  ["llama3", TINY_BYTES, "llama3", LONG],
  ["tiny-bytes' own", TINY_BYTES, "tokenizer", LONG],
  ["tiny-pieces' own", TINY_PIECES, "tokenizer", NO_SYSTEM],
  ["llama3's own", GOLDEN_FOLDERS.llama3, "tokenizer", LONG],
  ["qwen2.5's own", GOLDEN_FOLDERS["qwen2.5"], "tokenizer", LONG],
];

describe.each(cases)("a turn's weight in %s", (_, folder, spec, talks) => {
  const everything = { promptLossWeight: 1 };

  needs("shared", folder).test("of 0 leaves no token of the turn, and touches no other's", async () => {
    const tokenizer = await loadTokenizer(folder!);
    await fc.assert(
      fc.asyncProperty(talks, async (talk) => {
        const plain = await weighed(
          tokenizer,
          spec,
          talk.map((each) => said(...each)),
          everything,
        );
        const owners = new Array<number>(plain.ids.length).fill(-1);
        for (const silent of talk.keys()) {
          const turns = talk.map(([role, text], i) => said(role, text, i === silent ? 0 : undefined));
          const { ids, weights } = await weighed(tokenizer, spec, turns, everything);
          expect(ids).toEqual(plain.ids);
          for (const [i, weight] of weights.entries()) {
            if (weight === 1) continue;
            expect([weight, owners[i]]).toEqual([0, -1]);
            owners[i] = silent;
          }
        }
        // What a template writes before all turns, such as BOS, belongs to none; behind that, all tokens do, in order.
        const first = owners.findIndex((owner) => owner >= 0);
        const owned = owners.slice(first);
        expect(owned.includes(-1)).toBe(false);
        // LLaMA 2's system text stands inside the user's turn.
        const others = owned.filter((owner) => talk[owner]![0] !== "system");
        expect(others).toEqual(others.toSorted((a, b) => a - b));
        expect([...plain.classes.subarray(0, first)].every((code) => code === CLASS_CODE.template)).toBe(
          true,
        );
      }),
      { numRuns: 15 },
    );
  });

  needs("shared", folder).test("scales the end of the turn, by the class's weight", async () => {
    const tokenizer = await loadTokenizer(folder!);
    const policy = { promptLossWeight: 0.5, perClass: { end: 0.5 } };
    await fc.assert(
      fc.asyncProperty(talks, fc.constantFrom(0, 0.25, 1, 2), async (talk, weight) => {
        const turns = talk.map(([role, text]) => said(role, text, role === "assistant" ? weight : undefined));
        const { classes, weights } = await weighed(tokenizer, spec, turns, policy);
        const plain = await weighed(
          tokenizer,
          spec,
          talk.map((each) => said(...each)),
          policy,
        );
        const expected = Array.from(classes, (code, i) => {
          if (code === CLASS_CODE.end) return 0.5 * weight;
          return code === CLASS_CODE.completion ? weight : plain.weights[i]!;
        });
        const answers = [CLASS_CODE.end, CLASS_CODE.completion];
        for (const [i, code] of classes.entries())
          if (answers.includes(code)) expect(weights[i]).toBe(expected[i]);
      }),
      { numRuns: 10 },
    );
  });
});

const tiny = await loadTokenizer(TINY_BYTES);
function ends(row: { classes: Uint8Array; weights: Float32Array }): number[] {
  return [...row.weights].filter((_, i) => row.classes[i] === CLASS_CODE.end);
}

test("the end of a turn without a weight of its own has that of its last part", async () => {
  const parts = [part("completion", "a", 2), part("completion", "b", 0.25)];
  const row = await weighed(tiny, "chatml", [said("user", "q"), turn("assistant", parts)], {
    promptLossWeight: 1,
  });
  expect(ends(row)).toEqual([0.25]);
});

test("an answer's weight is a factor on the prompt's where the answer is context", async () => {
  const talk = [said("user", "q"), said("assistant", "a", 1), said("user", "r"), said("assistant", "b", 1)];
  const { rows } = await tokenizeAll(tiny, "chatml", [conversation(...talk)], { turns: "last" });
  const { classes, weights } = weighTokens(rows[0]!, resolveWeightPolicy({ promptLossWeight: 0 }));
  expect([...weights].filter((weight) => weight > 0)).toHaveLength(
    [...classes].filter((code) => code === CLASS_CODE.completion || code === CLASS_CODE.end).length,
  );
});

test("assistant messages in a prompt are context: neither their words nor their ends are trained", async () => {
  const row = {
    prompt: [
      { role: "user", content: "Q" },
      { role: "assistant", content: "A", weight: 1 },
      { role: "user", content: "R" },
    ],
    completion: [{ role: "assistant", content: "B" }],
  };
  const { rows, report } = await tokenizeAll(tiny, "chatml", await read("rows.jsonl", jsonl(row)));
  const { classes, weights } = weighTokens(rows[0]!, resolveWeightPolicy({ promptLossWeight: 0 }));
  const trained = [...weights].flatMap((weight, i) => (weight > 0 ? [classes[i]] : []));
  expect(trained).toEqual([CLASS_CODE.completion, CLASS_CODE.end]);
  expect(report.completions).toBe(1);
});
