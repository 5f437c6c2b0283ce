// The parameters of an architecture: names as Hugging Face's files have them, and shapes.
import type { Architecture } from "../config/architecture.ts";

export type Shape = readonly number[];

/** Module path of a layer's part: "model.layers.3.mlp.down_proj". */
export function layerModule(architecture: Architecture, index: number, part: string): string {
  return `${architecture.names.layers}.${index}.${part}`;
}

/** All linear modules of a layer with their sizes: what LoRA can adapt. */
export function linearModules(
  architecture: Architecture,
): { module: string; inputs: number; outputs: number; bias: boolean }[] {
  const { names, width, heads, keyValueHeads, headWidth, mlpWidth, biases } = architecture;
  const query = heads * headWidth;
  const keyValue = keyValueHeads * headWidth;
  const attention = biases.attentionInputs;
  return architecture.layers.flatMap((_, index) => {
    const at = (part: string, inputs: number, outputs: number, bias: boolean) => ({
      module: layerModule(architecture, index, part),
      inputs,
      outputs,
      bias,
    });
    const [first, second, third] = names.attentionInputs;
    const inputs =
      second === undefined || third === undefined
        ? [at(first, width, query + 2 * keyValue, attention)]
        : [
            at(first, width, query, attention),
            at(second, width, keyValue, attention),
            at(third, width, keyValue, attention),
          ];
    const mlpOutputs = architecture.gated && names.mlpInputs.length === 1 ? 2 * mlpWidth : mlpWidth;
    return [
      ...inputs,
      at(names.attentionOutput, query, width, biases.attentionOutput),
      ...names.mlpInputs.map((part) => at(part, width, mlpOutputs, biases.mlp)),
      at(names.mlpOutput, mlpWidth, width, biases.mlp),
    ];
  });
}

/** Names and shapes of all parameters. A tied head has none of its own. */
export function parameterShapes(architecture: Architecture): Map<string, Shape> {
  const { names, width, headWidth, norm, vocabularySize } = architecture;
  const shapes = new Map<string, Shape>();
  const addNorm = (module: string, size: number): void => {
    shapes.set(`${module}.weight`, [size]);
    if (norm.kind === "layer") shapes.set(`${module}.bias`, [size]);
  };
  shapes.set(`${names.embedding}.weight`, [vocabularySize, width]);
  if (names.positions !== undefined) {
    const rows = architecture.maxPositions + (architecture.positionOffset ?? 0);
    shapes.set(`${names.positions}.weight`, [rows, width]);
  }
  architecture.layers.forEach((_, index) => {
    const wide = [names.attentionNorm, names.attentionPostNorm, names.mlpNorm, names.mlpPostNorm];
    for (const part of wide) if (part !== undefined) addNorm(layerModule(architecture, index, part), width);
    for (const part of [names.queryNorm, names.keyNorm])
      if (part !== undefined) addNorm(layerModule(architecture, index, part), headWidth);
  });
  for (const { module, inputs, outputs, bias } of linearModules(architecture)) {
    shapes.set(`${module}.weight`, architecture.transposed ? [inputs, outputs] : [outputs, inputs]);
    if (bias) shapes.set(`${module}.bias`, [outputs]);
  }
  if (architecture.finalNorm) addNorm(names.finalNorm, width);
  if (!architecture.tied) shapes.set(`${names.head}.weight`, [vocabularySize, width]);
  return shapes;
}
