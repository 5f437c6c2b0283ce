import { keep, memory, noGrad, scope } from "@promptloss/torch";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tinyGolden, tinyModel } from "../../test/tiny-models.ts";
import { CausalLanguageModel, packSequences } from "../models/index.ts";
import { generate } from "./generate.ts";
import type { GenerateOptions } from "./options.ts";
import type { TokenEvent } from "./types.ts";

// A plain one, one with windows and caps, one with learned positions.
const models = ["llama", "gemma2", "gpt2"].map((name) => tinyModel(tinyGolden(name)));
const [llama] = models as [(typeof models)[0]];
const PROMPT = [5, 40, 7, 61];

const prompts = fc.array(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 20 }), {
  minLength: 1,
  maxLength: 6,
});

const STOPS = Array.from({ length: 12 }, (_, i) => 7 * i + 3);

const options: fc.Arbitrary<GenerateOptions> = fc.oneof(
  fc.record({ stopIds: fc.constant(STOPS), minNewTokens: fc.nat(4) }),
  fc.record({ repetitionPenalty: fc.double({ min: 0.7, max: 2, noNaN: true }) }),
  fc.record({
    temperature: fc.double({ min: 0.2, max: 2, noNaN: true }),
    topK: fc.nat(12),
    topP: fc.constantFrom(0.3, 0.9, 1),
    sequences: fc.integer({ min: 1, max: 3 }),
    stopIds: fc.constant(STOPS),
  }),
  fc.record({
    beams: fc.integer({ min: 2, max: 4 }),
    stopIds: fc.constant(STOPS),
    sequences: fc.constant(2),
  }),
);

/** Log-probabilities or logits of all tokens behind each of the ids, read at once. */
function readAtOnce(model: CausalLanguageModel, ids: readonly number[], what: "logits" | "log"): number[][] {
  return noGrad(() =>
    scope(() => {
      const logits = model.logits(model.forward(packSequences([ids])));
      return (what === "log" ? logits.logSoftmax(-1) : logits).toArray() as number[][];
    }),
  );
}

describe("generate", () => {
  it("gives a prompt in a batch what it gives it alone", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...models),
        prompts,
        options,
        fc.nat(1000),
        fc.constantFrom(1, 3, 32),
        async (model, batch, given, seed, batchSize) => {
          const common = { ...given, maxNewTokens: 12, logProbabilities: 2 };
          const together = await generate(model, batch, { ...common, seed, batchSize });
          for (const [i, prompt] of batch.entries()) {
            const own = seed + i * (given.sequences ?? 1);
            const [alone] = await generate(model, [prompt], { ...common, seed: own });
            expect(together[i]!.map(({ ids }) => [...ids])).toEqual(alone!.map(({ ids }) => [...ids]));
            together[i]!.forEach((sequence, s) => {
              expect(sequence.finishReason).toBe(alone![s]!.finishReason);
              sequence.logProbabilities!.forEach(({ logProbability }, t) => {
                // Products over more rows round otherwise, in the last bits of float32.
                expect(logProbability).toBeCloseTo(alone![s]!.logProbabilities![t]!.logProbability, 4);
              });
            });
          }
        },
      ),
      // A fixed seed: a draw within 1e-6 of a border between tokens may fall to either side.
      { numRuns: 60, seed: 11 },
    );
  });

  it("reads again what other frequencies turn, where LongRoPE's border is crossed", async () => {
    const model = tinyModel(tinyGolden("phi3-longrope-long"));
    const batch = [
      [5, 40, 7, 61, 12, 9, 33, 21, 4, 88, 17, 3, 50],
      [3, 9],
      Array.from({ length: 15 }, (_, i) => 6 * i),
    ];
    const found = await generate(model, batch, { maxNewTokens: 18 });
    for (const [i, prompt] of batch.entries()) {
      const ids = [...prompt];
      while (ids.length < prompt.length + 18) {
        const last = readAtOnce(model, ids, "logits").at(-1)!;
        ids.push(last.indexOf(Math.max(...last)));
      }
      expect([...found[i]![0]!.ids]).toEqual(ids.slice(prompt.length));
    }
  });

  it("repeats bit for bit from a seed, and not from another", async () => {
    const draw = async (seed: number): Promise<string> => {
      const settings = { temperature: 1, sequences: 4, seed, maxNewTokens: 20, logProbabilities: 1 };
      return JSON.stringify(await generate(llama, [PROMPT], settings));
    };
    expect(await draw(3)).toBe(await draw(3));
    expect(await draw(3)).not.toBe(await draw(4));
    const listed = await generate(llama, [PROMPT, PROMPT], {
      temperature: 1,
      seed: [9, 9],
      maxNewTokens: 20,
    });
    expect(listed[0]).toEqual(listed[1]);
  });

  it("gives the log-probabilities that one reading of prompt and continuation has", async () => {
    const [results] = await generate(llama, [PROMPT], {
      maxNewTokens: 8,
      repetitionPenalty: 1.5,
      logProbabilities: 3,
    });
    const result = results![0]!;
    const all = readAtOnce(llama, [...PROMPT, ...result.ids], "log");
    result.logProbabilities!.forEach(({ id, logProbability, top }, t) => {
      const row = all[PROMPT.length - 1 + t]!;
      expect(id).toBe(result.ids[t]);
      // Reading by steps rounds otherwise than reading at once.
      expect(logProbability).toBeCloseTo(row[id]!, 4);
      const best = row.map((value, token) => ({ value, token })).sort((a, b) => b.value - a.value);
      expect(top.map((each) => each.id)).toEqual(best.slice(0, 3).map(({ token }) => token));
    });
  });

  it("takes the likeliest token in bfloat16 too", async () => {
    const model = tinyModel(tinyGolden("llama"));
    const weights = scope(
      () => new Map([...model.parameters].map(([name, weight]) => [name, keep(weight.detach().bfloat16())])),
    );
    const halved = new CausalLanguageModel(model.config, weights);
    const prompts = [PROMPT, [1], [9, 8, 7]];
    const results = await generate(halved, prompts, { maxNewTokens: 12 });
    prompts.forEach((prompt, i) => {
      const { ids } = results[i]![0]!;
      const all = readAtOnce(halved, [...prompt, ...ids], "logits");
      ids.forEach((id, t) => {
        const row = all[prompt.length - 1 + t]!;
        // Reading by steps and at once may differ by a few roundings of 8 bits; other tokens are far lower.
        expect(row[id]).toBeGreaterThan(Math.max(...row) - 0.05);
      });
    });
    halved.free();
    model.free();
  });

  it("tells of tokens step by step, and stops by token, criterion and length", async () => {
    const events: TokenEvent[] = [];
    const [plain] = await generate(llama, [PROMPT], {
      maxNewTokens: 10,
      onTokens: (tokens) => void events.push(...tokens),
    });
    expect(events.map(({ id }) => id)).toEqual([...plain![0]!.ids]);
    expect(plain![0]).toMatchObject({ finishReason: "length" });
    const third = plain![0]!.ids[2]!;
    const [stopped] = await generate(llama, [PROMPT], { maxNewTokens: 10, stopIds: [third] });
    expect(stopped).toEqual([{ ids: plain![0]!.ids.slice(0, 3), finishReason: "stop", stopReason: third }]);
    const [judged] = await generate(llama, [PROMPT], {
      maxNewTokens: 10,
      stopCriterion: (candidates) => candidates.map(({ ids }) => (ids.length === 4 ? "four" : undefined)),
    });
    expect(judged).toEqual([{ ids: plain![0]!.ids.slice(0, 4), finishReason: "stop", stopReason: "four" }]);
    const [beams] = await generate(llama, [PROMPT], {
      maxNewTokens: 10,
      beams: 2,
      stopCriterion: (candidates) => candidates.map(({ ids }) => (ids.length === 4 ? "four" : undefined)),
    });
    expect(beams![0]).toMatchObject({ finishReason: "stop", stopReason: "four" });
    expect(beams![0]!.ids).toHaveLength(4);
  });

  it("ends at the context's last place", async () => {
    const prompt = Array.from({ length: 60 }, (_, i) => i);
    const [results] = await generate(llama, [prompt], { maxNewTokens: 50 });
    expect(results![0]).toMatchObject({ finishReason: "length" });
    expect(results![0]!.ids).toHaveLength(4);
  });

  it.each([{}, { beams: 3 }])("keeps what it has when the signal aborts: %j", async (extra) => {
    const controller = new AbortController();
    let steps = 0;
    const results = await generate(llama, [PROMPT, [3]], {
      ...extra,
      maxNewTokens: 50,
      signal: controller.signal,
      stopCriterion: (candidates) => {
        if (++steps === 5) controller.abort();
        return candidates.map(() => undefined);
      },
    });
    for (const [sequence] of results) {
      expect(sequence).toMatchObject({ finishReason: "abort" });
      expect(sequence!.ids).toHaveLength(5);
    }
  });

  it("frees what it made, also when a listener throws", async () => {
    const before = memory();
    await generate(llama, [PROMPT, [1]], { maxNewTokens: 5, temperature: 1, sequences: 2, topP: 0.9 });
    await generate(llama, [PROMPT, [1]], { maxNewTokens: 5, beams: 3 });
    const failing = generate(llama, [PROMPT], {
      onTokens: () => {
        throw new Error("listener");
      },
    });
    await expect(failing).rejects.toThrow("listener");
    expect(memory()).toEqual(before);
  });

  it.each<[GenerateOptions, string]>([
    [{ temperatur: 1 } as GenerateOptions, "temperatur: there is no such option"],
    [{ temperature: -1 }, "temperature: expected a number of 0 or more, got -1"],
    [{ topP: 0.9 }, "topP: has no effect at temperature 0, which always takes the likeliest token"],
    [{ temperature: 1, beams: 2 }, "beams: are searched, not drawn; a temperature has no place"],
    [{ lengthPenalty: 2 }, "lengthPenalty: ranks beams, and there is one"],
    [{ sequences: 2 }, "sequences: would all be the same at temperature 0"],
    [{ sequences: 3, beams: 2 }, "sequences: 3 of 2 beams"],
    [{ minNewTokens: 9, maxNewTokens: 3 }, "minNewTokens: 9 is more than the 3 of maxNewTokens"],
    [{ seed: [1, 2] }, "seed: 2 seeds for 1 prompt"],
  ])("refuses %j", async (bad, message) => {
    await expect(generate(llama, [PROMPT], bad)).rejects.toThrow(message);
  });

  it("refuses prompts that are empty, too long or outside the vocabulary", async () => {
    await expect(generate(llama, [PROMPT, []])).rejects.toThrow("prompts: prompt 2 of 2 has no tokens");
    await expect(generate(llama, [new Array<number>(64).fill(1)])).rejects.toThrow(
      "prompts: the prompt has 64 tokens, and the model reads 64, its completion included",
    );
    await expect(generate(llama, [[101]])).rejects.toThrow("outside the vocabulary of 101");
  });
});
