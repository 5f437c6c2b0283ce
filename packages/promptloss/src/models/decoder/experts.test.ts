import { fromTypedArray, noGrad, scope, silu, type Tensor } from "@promptloss/torch";
import fc from "fast-check";
import { expect, test } from "vitest";
import { tinyGolden, tinyModel } from "../../../test/tiny-models.ts";
import type { ExpertsPlan } from "../config/architecture.ts";
import { parseModelConfig } from "../config/model-config.ts";
import { createAdapter } from "../lora/adapter.ts";
import { mixExperts } from "./experts.ts";
import { packSequences } from "./input.ts";

const WIDTH = 3;

function planOf(count: number, perToken: number, normalized: boolean): ExpertsPlan {
  const names = { router: "gate", experts: "experts", mlpInputs: ["up"], mlpOutput: "down" };
  return { count, perToken, normalized, intermediateSize: WIDTH, names };
}

function softmax(scores: readonly number[]): number[] {
  const powers = scores.map(Math.exp);
  const sum = powers.reduce((total, each) => total + each, 0);
  return powers.map((power) => power / sum);
}

/** Token by token, in plain numbers: expert e multiplies by e + 1 and turns through silu. */
function mixedSlowly(
  { perToken, normalized }: ExpertsPlan,
  rows: readonly number[][],
  logits: readonly number[][],
): number[] {
  return rows.flatMap((row, token) => {
    const likely = softmax(logits[token]!);
    const chosen = [...likely.keys()].sort((a, b) => likely[b]! - likely[a]!).slice(0, perToken);
    const whole = normalized ? chosen.reduce((sum, expert) => sum + likely[expert]!, 0) : 1;
    return row.map((value) =>
      chosen.reduce((sum, expert) => {
        const inner = value * (expert + 1);
        return sum + (likely[expert]! / whole) * (inner / (1 + Math.exp(-inner)));
      }, 0),
    );
  });
}

function compute(expert: number, rows: Tensor): Tensor {
  return silu(rows.mul(expert + 1));
}

const cases = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }), fc.boolean())
  .chain(([perToken, more, normalized]) => {
    const count = perToken + more - 1;
    const value = fc.integer({ min: -40, max: 40 }).map((each) => each / 16);
    // Logits that are apart, so that rounding decides nothing.
    const logits = fc.shuffledSubarray([...new Array(count).keys()], { minLength: count });
    return fc.record({
      plan: fc.constant(planOf(count, perToken, normalized)),
      tokens: fc.array(fc.tuple(fc.array(value, { minLength: WIDTH, maxLength: WIDTH }), logits), {
        minLength: 1,
        maxLength: 7,
      }),
    });
  });

test("tokens get their experts' outputs by the router's shares, as one by one", () => {
  fc.assert(
    fc.property(cases, ({ plan, tokens }) => {
      const [rows, logits] = [tokens.map(([row]) => row), tokens.map(([, each]) => each)];
      const mixed = scope(() => {
        const x = fromTypedArray(Float32Array.from(rows.flat()), [rows.length, WIDTH]);
        const scores = fromTypedArray(Float32Array.from(logits.flat()), [rows.length, plan.count]);
        return mixExperts(plan, x, { score: () => scores, compute }).toTypedArray("float32");
      });
      const expected = mixedSlowly(plan, rows, logits);
      expect(mixed.length).toBe(expected.length);
      for (const [place, value] of expected.entries())
        expect(Math.abs(mixed[place]! - value)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
    }),
  );
});

test("an expert without tokens computes where gradients are wanted, and else not", () => {
  const asked: number[] = [];
  const mixture = {
    score: () => fromTypedArray(Float32Array.of(0, 5, 1), [1, 3]),
    compute: (expert: number, rows: Tensor) => {
      asked.push(rows.shape[0]!);
      return compute(expert, rows);
    },
  };
  const x = fromTypedArray(Float32Array.of(1, 2, 3), [1, WIDTH]);
  scope(() => mixExperts(planOf(3, 1, false), x, mixture));
  expect(asked.splice(0)).toEqual([0, 1, 0]);
  scope(() => noGrad(() => mixExperts(planOf(3, 1, false), x, mixture)));
  expect(asked).toEqual([1]);
});

test("weights of experts that no token goes to have gradients of zeros", () => {
  const model = tinyModel(tinyGolden("qwen3-moe"));
  scope(() =>
    model
      .logits(model.forward(packSequences([[3, 4]])))
      .sum()
      .backward(),
  );
  const sizes = [...model.parameters].map(([, { grad }]) => scope(() => grad!.abs().sum().item()));
  expect(sizes).toContain(0);
  expect(sizes.some((size) => size > 0)).toBe(true);
});

test("adapters leave experts, unless targets name them", () => {
  const { architecture } = tinyModel(tinyGolden("qwen2-moe"));
  const modulesOf = (options: object): string[] => {
    const adapter = createAdapter(architecture, { rank: 1, ...options });
    adapter.free();
    return [...adapter.modules].filter((module) => module.startsWith("model.layers.0."));
  };
  const attention = ["q", "k", "v", "o"].map((each) => `model.layers.0.self_attn.${each}_proj`);
  const shared = ["gate", "up", "down"].map((each) => `model.layers.0.mlp.shared_expert.${each}_proj`);
  expect(modulesOf({})).toEqual([...attention, ...shared]);
  expect(modulesOf({ kind: "ia3" })).toEqual([attention[1], attention[2], shared[2]]);
  expect(modulesOf({ targets: ["down_proj"] })).toHaveLength(6);
  expect(modulesOf({ targets: [/.*\.experts\.3\..*/] })).toHaveLength(3);
});

test.each([
  ["mixtral", { num_experts_per_tok: 6 }, "num_experts_per_tok: there are 5 experts, got 6"],
  ["mixtral", { output_router_logits: true }, "the router's own loss is not computed"],
  ["mixtral", { router_jitter_noise: 0.1 }, "router_jitter_noise: only 0 is supported"],
  ["qwen3-moe", { mlp_only_layers: [0.5] }, "mlp_only_layers: expected indices of layers"],
  ["qwen2-moe", { layer_types: ["sliding_attention", "full_attention"] }, "use_sliding_window is false"],
])("%s refuses %j", (name, changed, message) => {
  expect(() => parseModelConfig({ ...tinyGolden(name).config, ...changed })).toThrow(message);
});

test("as the hub's files and transformers 5 say how many experts there are", () => {
  const { num_local_experts: count, ...config } = tinyGolden("qwen3-moe").config;
  const read = parseModelConfig({ ...config, num_experts: count, max_window_layers: 48 });
  expect(read.architecture).toEqual(parseModelConfig(tinyGolden("qwen3-moe").config).architecture);
  expect(read.notes).toEqual([]);
  expect(read.architecture.layers.map(({ experts }) => experts?.count)).toEqual([undefined, 40, 40]);
});
