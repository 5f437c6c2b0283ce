import { expect, test } from "vitest";
import { tinyGolden } from "../../../test/tiny-models.ts";
import { parseModelConfig } from "../config/model-config.ts";
import { adapterShapes } from "./shapes.ts";

test("IA3 and bottlenecks take the MLPs of an encoder as those of its decoder", () => {
  const { architecture } = parseModelConfig(tinyGolden("t5", "encoder-decoders").config);
  const outputs = ["encoder.block.0.layer.1.DenseReluDense.wo", "decoder.block.0.layer.2.DenseReluDense.wo"];
  const scales = adapterShapes(architecture, { kind: "ia3" });
  const narrowed = adapterShapes(architecture, { kind: "bottleneck", size: 4 });
  for (const module of outputs) {
    // The inner state's width: its input is scaled.
    expect(scales.get(`${module}.ia3_l`)).toEqual([1, 50]);
    expect(narrowed.get(`${module}.bottleneck.down.weight`)).toEqual([4, 36]);
  }
});
