// Rules that we take from transformers, against what it does: test/python/transformers_rules.py.
import { noGrad, scope } from "@promptloss/torch";
import { describe, expect, test } from "vitest";
import { readRules } from "../../../test/transformers-rules.ts";
import { parseModelConfig } from "../config/model-config.ts";
import { createModel } from "./create-model.ts";

const { initialization, ropes } = readRules();

describe("new weights are drawn as transformers draws them", () => {
  test.each(initialization.map((each) => [each.config.model_type, each] as const))(
    "%s",
    (_, { config, spreads, zeroRows }) => {
      const model = createModel(parseModelConfig(config), { seed: 3, trainable: false });
      const matrices = [...model.parameters].filter(([, { shape }]) => shape.length > 1);
      const drawn = Object.fromEntries(
        matrices.map(([name, tensor]) => [name, noGrad(() => scope(() => tensor.std().item()))]),
      );
      const tied = model.architecture.tied;
      const names = Object.keys(spreads).filter((name) => drawn[name] !== undefined || !tied);
      expect(Object.keys(drawn).sort()).toEqual(names.sort());
      for (const [name, spread] of Object.entries(drawn)) {
        // Two samples of n draws each: their deviations differ by about spread / √n; five times that.
        const n = model.parameters.get(name)!.shape.reduce((product, size) => product * size, 1);
        expect(Math.abs(spread / spreads[name]! - 1), name).toBeLessThan(5 / Math.sqrt(n));
      }
      const table = model.parameter(`${model.architecture.names.embedding}.weight`);
      const rows = scope(() => table.abs().sum(1).toTypedArray("float32"));
      expect([...rows].flatMap((sum, row) => (sum === 0 ? [row] : []))).toEqual(zeroRows);
      model.free();
    },
  );
});

test("of two descriptions of a rope the one counts that transformers takes", () => {
  for (const { config, frequencies } of ropes) {
    const { architecture } = parseModelConfig(config);
    architecture.ropes[0]!.frequencies.forEach((frequency, i) => {
      // float32 both.
      expect(frequency / frequencies[i]!).toBeCloseTo(1, 6);
    });
    expect(architecture.ropes[0]!.frequencies).toHaveLength(frequencies.length);
  }
});
