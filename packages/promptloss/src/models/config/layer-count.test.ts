import { expect, test } from "vitest";
import { TINY_LLAMA } from "../../../test/tiny-llama.ts";
import { ModelConfigError } from "../errors.ts";
import { parseModelConfig } from "./model-config.ts";

test("a number of layers beyond reason is refused before any is made", () => {
  const parse = (layers: number) => () => parseModelConfig({ ...TINY_LLAMA, num_hidden_layers: layers });
  for (const layers of [10_001, 1e9, 2 ** 40]) {
    expect(parse(layers)).toThrow(ModelConfigError);
    expect(parse(layers)).toThrow("expected at most 10,000 layers");
  }
  expect(parse(200)().architecture.layers).toHaveLength(200);
});
