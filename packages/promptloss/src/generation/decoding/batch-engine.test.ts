// The running batch: sequences that join and leave get what they would get alone; what they share is read once.
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { memory, noGrad, startProfile, stopProfile, useFusedKernels } from "@promptloss/torch";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { countedReads, isLook } from "../../../test/host-reads.ts";
import { tinyFolder } from "../../../test/tiny-folder.ts";
import { tinyGolden, tinyGoldenOf, tinyModel } from "../../../test/tiny-models.ts";
import { TINY_BYTES } from "../../../test/tokenizers.ts";
import { createAdapter, loadModel } from "../../models/index.ts";
import { generate } from "../generate.ts";
import type { GenerateOptions } from "../options.ts";
import type { Candidate, TokenEvent } from "../types.ts";
import { BatchEngine } from "./batch-engine.ts";
import { commonLength } from "./prefix-store.ts";

// A plain one, one with windows and caps, one with learned positions, one whose frequencies change with the length, and
// two with an encoder.
const names = ["llama", "gemma2", "gpt2", "phi3-longrope-long", "t5", "bart"] as const;
const models = new Map(names.map((name) => [name, tinyModel(tinyGoldenOf(name))]));
const llama = models.get("llama")!;

/** Prompts that often begin alike. */
const prompt = fc
  .tuple(fc.constantFrom(0, 10, 25), fc.array(fc.nat(100), { minLength: 1, maxLength: 8 }))
  .map(([shared, own]) => [...Array.from({ length: shared }, (_, i) => (7 * i + 3) % 100), ...own]);

const options: fc.Arbitrary<GenerateOptions> = fc.oneof(
  fc.constant({}),
  fc.record({ stopIds: fc.constant([3, 10, 17, 24, 31]), minNewTokens: fc.nat(3) }),
  fc.record({ repetitionPenalty: fc.double({ min: 0.7, max: 2, noNaN: true }) }),
  fc.record({
    temperature: fc.constantFrom(0.5, 1),
    topK: fc.constantFrom(0, 5),
    sequences: fc.integer({ min: 1, max: 3 }),
    seed: fc.nat(100),
  }),
);

afterEach(() => {
  useFusedKernels(true);
  vi.restoreAllMocks();
});

describe("BatchEngine", () => {
  it.each(names)("gives requests that come and go what each gets alone: %s", async (name) => {
    const model = models.get(name)!;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.array(prompt, { minLength: 1, maxLength: 2 }), options, fc.nat(3)), {
          minLength: 1,
          maxLength: 6,
        }),
        fc.record({
          rows: fc.constantFrom(1, 3, 32),
          promptTokens: fc.constantFrom(4, 16, 512),
          keptBytes: fc.constantFrom(0, 20_000, 10_000_000),
          stepsPerRead: fc.constantFrom(1, 3, 8),
        }),
        async (requests, settings) => {
          using engine = new BatchEngine(model, settings);
          const together = await Promise.all(
            requests.map(async ([prompts, given, delay]) => {
              await setTimeout(2 * delay);
              return generate(model, prompts, { maxNewTokens: 8, logProbabilities: 1, ...given }, engine);
            }),
          );
          for (const [i, [prompts, given]] of requests.entries()) {
            const alone = await generate(model, prompts, { maxNewTokens: 8, logProbabilities: 1, ...given });
            const shown = (results: typeof alone) =>
              results.map((each) => each.map(({ ids, finishReason }) => [[...ids], finishReason]));
            expect(shown(together[i]!)).toEqual(shown(alone));
            // Products over more rows round otherwise, in the last bits of float32.
            together[i]!.flat().forEach(({ logProbabilities }, s) => {
              logProbabilities!.forEach(({ logProbability }, t) => {
                expect(logProbability).toBeCloseTo(alone.flat()[s]!.logProbabilities![t]!.logProbability, 4);
              });
            });
          }
          expect(engine.running).toBe(0);
        },
      ),
      // A fixed seed: a draw within 1e-6 of a border between tokens may fall to either side.
      { numRuns: 6, seed: 5 },
    );
  });

  it("reads what prompts share once, at the same time and one after another", async () => {
    using engine = new BatchEngine(llama, { keptBytes: 10_000_000 });
    const shared = Array.from({ length: 30 }, (_, i) => (11 * i + 5) % 100);
    const prompts = [1, 2, 3, 4].map((last) => [...shared, last, last]);
    await Promise.all(prompts.map((each) => generate(llama, [each], { maxNewTokens: 1 }, engine)));
    expect(engine.counts).toMatchObject({ read: 32 + 3 * 2, shared: 3 * 30 });
    // Two drawn continuations of one prompt: the second reads its last token alone.
    await generate(llama, [[...shared, 9]], { maxNewTokens: 1, temperature: 1, sequences: 2 }, engine);
    expect(engine.counts).toMatchObject({ read: 38 + 2, shared: 90 + 60 });
  });

  it("shares nothing between an adapter's prefix and what is kept of it", async () => {
    const model = tinyModel(tinyGolden("llama"));
    model.adapter = createAdapter(model.architecture, { kind: "prefix", tokens: 3 } as never);
    noGrad(() => {
      for (const each of model.adapter!.parameters.values()) each.mul_(20);
    });
    using engine = new BatchEngine(model, { keptBytes: 10_000_000 });
    const prompts = [
      [5, 6, 7, 8, 9, 10, 11, 12, 13, 14],
      [5, 6, 7, 8, 9, 10, 11, 12, 13, 15],
    ];
    for (const each of [...prompts, ...prompts]) {
      const [joined] = await generate(model, [each], { maxNewTokens: 6 }, engine);
      const [alone] = await generate(model, [each], { maxNewTokens: 6 });
      expect([...joined![0]!.ids]).toEqual([...alone![0]!.ids]);
    }
    expect(engine.counts.shared).toBeGreaterThan(20);
  });

  it("computes each sequence as alone, to the last bit, in bfloat16 too", async () => {
    // Heads of 16, which the fused attention takes.
    const config = { hidden_size: 64, num_attention_heads: 4, num_key_value_heads: 2, head_dim: 16 };
    const folder = tinyFolder(TINY_BYTES, { config });
    const halved = loadModel(folder, { dtype: "bfloat16" });
    const settings = { maxNewTokens: 12, logProbabilities: 2 };
    const prompts = Array.from({ length: 9 }, (_, i) =>
      Array.from({ length: 1 + ((5 * i) % 40) }, (_, place) => (13 * i + 7 * place) % 100),
    );
    using engine = new BatchEngine(halved, { alike: true, keptBytes: 100_000, stepsPerRead: 4 });
    const alone = [];
    for (const each of prompts) {
      using own = new BatchEngine(halved, { alike: true });
      alone.push(await generate(halved, [each], settings, own));
    }
    const ask = async (prompt: number[], i: number) => {
      await setTimeout(3 * (i % 4));
      return generate(halved, [prompt], settings, engine);
    };
    expect(await Promise.all(prompts.map(ask))).toEqual(alone);
    expect(await Promise.all(prompts.toReversed().map(ask))).toEqual(alone.toReversed());
    halved.free();
    rmSync(dirname(folder), { recursive: true });
  });

  it.each([
    ["greedy", {}],
    ["drawn", { temperature: 1, topP: 0.9, seed: 3 }],
    ["with a penalty and log-probabilities", { repetitionPenalty: 1.3, logProbabilities: 2 }],
  ])(
    "reads once per few steps where asked to, with the same tokens to the last bit: %s",
    async (_, given) => {
      useFusedKernels(false);
      const prompts = [[1, 2, 3], [4, 5], [6]];
      const settings = { maxNewTokens: 34, ...given };
      const results = [];
      for (const stepsPerRead of [1, 8]) {
        using engine = new BatchEngine(llama, { stepsPerRead });
        const reads = countedReads();
        const before = reads();
        startProfile();
        results.push(await generate(llama, prompts, settings, engine));
        expect(stopProfile().events.filter(isLook)).toEqual([]);
        // The first tokens are read by themselves, since somebody waits for them; the other 33 steps by eights.
        expect(reads() - before).toBe(stepsPerRead === 1 ? 34 : 1 + Math.ceil(33 / 8));
        expect(engine.counts.steps).toBe(34);
        vi.restoreAllMocks();
      }
      expect(results[1]).toEqual(results[0]);
    },
  );

  it("drops what was chosen behind a stop, and asks and tells in the order of the tokens", async () => {
    const [alone] = await generate(llama, [[1, 2, 3]], { maxNewTokens: 20 });
    const { ids } = alone![0]!;
    const told = async (stepsPerRead: number, stopIds: readonly number[]): Promise<unknown> => {
      using engine = new BatchEngine(llama, { stepsPerRead, keptBytes: 1_000_000 });
      const heard: unknown[] = [];
      const stopCriterion = (candidates: readonly Candidate[]) =>
        candidates.map(({ prompt: which, ids: own }) => {
          heard.push(["asked", which, [...own]]);
          return which === 0 && own.length === 5 ? "five" : undefined;
        });
      const onTokens = (tokens: readonly TokenEvent[]) => void heard.push(["told", tokens]);
      const asked = { maxNewTokens: 11, stopIds, stopCriterion, onTokens };
      const results = await generate(llama, [[1, 2, 3], [9]], asked, engine);
      // What is kept of a sequence that ended serves another that goes on from it.
      const longer = [1, 2, 3, ...ids.slice(0, 9)];
      return { results, heard, longer: await generate(llama, [longer], { maxNewTokens: 4 }, engine) };
    };
    for (const stopIds of [[], [ids[6]!], [ids[3]!], [ids[0]!]])
      expect(await told(8, stopIds)).toEqual(await told(1, stopIds));
  });

  it("looks at each token where a constraint decides what may follow it, and at others' beside it", async () => {
    const constraint = (prompt: number) => {
      if (prompt !== 0) return undefined;
      const allowed = new Uint8Array(llama.head.shape[0]!);
      let place = 0;
      const allow = (): void => {
        allowed.fill(0);
        for (let id = place % 3; id < allowed.length; id += 3) allowed[id] = 1;
      };
      allow();
      return {
        ...{ allowed, mayEnd: false, complete: false },
        accept: () => {
          place++;
          allow();
        },
      };
    };
    const results = [];
    for (const stepsPerRead of [1, 8]) {
      using engine = new BatchEngine(llama, { stepsPerRead });
      results.push(await generate(llama, [[1, 2], [3]], { maxNewTokens: 12, constraint }, engine));
    }
    expect(results[1]).toEqual(results[0]);
    const { ids } = results[1]![0]![0]!;
    expect([...ids].map((id) => id % 3)).toEqual([...ids.keys()].map((i) => i % 3));
  });

  it("reads a long prompt in parts, while others go on", async () => {
    using engine = new BatchEngine(llama, { promptTokens: 8 });
    const heard: string[] = [];
    const listen = (who: string) => () => void heard.push(who);
    const short = generate(llama, [[1, 2]], { maxNewTokens: 12, onTokens: listen("short") }, engine);
    await setTimeout(0);
    const long = generate(
      llama,
      [Array.from({ length: 50 }, (_, i) => i)],
      { maxNewTokens: 2, onTokens: listen("long") },
      engine,
    );
    await Promise.all([short, long]);
    // Fifty tokens are seven parts; the other sequence had a token with each.
    expect(heard.indexOf("long")).toBeGreaterThanOrEqual(6);
  });

  it("fails the request whose listener throws, and no other; an aborted one keeps what it has", async () => {
    const before = memory();
    {
      using engine = new BatchEngine(llama, { keptBytes: 1_000_000 });
      const bad = generate(
        llama,
        [[1, 2, 3]],
        {
          onTokens: () => {
            throw new Error("listener");
          },
        },
        engine,
      );
      const abort = new AbortController();
      let steps = 0;
      const aborted = generate(
        llama,
        [[4, 5]],
        {
          maxNewTokens: 40,
          signal: abort.signal,
          onTokens: () => {
            if (++steps === 3) abort.abort();
          },
        },
        engine,
      );
      const good = generate(llama, [[6, 7]], { maxNewTokens: 10 }, engine);
      await expect(bad).rejects.toThrow("listener");
      expect((await aborted)[0]![0]).toMatchObject({ finishReason: "abort" });
      expect((await aborted)[0]![0]!.ids).toHaveLength(3);
      expect((await good)[0]![0]!.ids).toHaveLength(10);
    }
    expect(memory()).toEqual(before);
  });
});

it("commonLength counts from the start", () => {
  expect(commonLength([1, 2, 3], [1, 2, 4, 5])).toBe(2);
  expect(commonLength([], [1])).toBe(0);
});
