// The parameters of an architecture: names as Hugging Face's files have them, and shapes.
import type { Architecture } from "./architecture.ts";

export type Shape = readonly number[];

/** Elements of a tensor of a shape. */
export function numelOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Module path of a layer's part: "model.layers.3.mlp.down_proj". */
export function layerModule(architecture: Architecture, index: number, part: string): string {
  return `${architecture.names.layers}.${index}.${part}`;
}

interface LinearModule {
  readonly module: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: boolean;
}

/** All linear modules of the layers with their sizes, an encoder's first: what LoRA can adapt. */
export function linearModules(architecture: Architecture): LinearModule[] {
  const { encoder } = architecture;
  return [...(encoder === undefined ? [] : linearModules(encoder.stack)), ...linearModulesOf(architecture)];
}

function linearModulesOf(architecture: Architecture): LinearModule[] {
  const { names, hiddenSize, heads, keyValueHeads, headSize, intermediateSize, biases } = architecture;
  const query = heads * headSize;
  const keyValue = keyValueHeads * headSize;
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
        ? [at(first, hiddenSize, query + 2 * keyValue, attention)]
        : [
            at(first, hiddenSize, query, attention),
            at(second, hiddenSize, keyValue, attention),
            at(third, hiddenSize, keyValue, attention),
          ];
    const mlpOutputs =
      architecture.gated && names.mlpInputs.length === 1 ? 2 * intermediateSize : intermediateSize;
    const across = names.crossAttention;
    const crossed =
      across === undefined
        ? []
        : [
            at(across.inputs[0], hiddenSize, query, attention),
            at(across.inputs[1], hiddenSize, keyValue, attention),
            at(across.inputs[2], hiddenSize, keyValue, attention),
            at(across.output, query, hiddenSize, biases.attentionOutput),
          ];
    return [
      ...inputs,
      at(names.attentionOutput, query, hiddenSize, biases.attentionOutput),
      ...crossed,
      ...names.mlpInputs.map((part) => at(part, hiddenSize, mlpOutputs, biases.mlp)),
      at(names.mlpOutput, intermediateSize, hiddenSize, biases.mlp),
    ];
  });
}

/** The table of a stack's relative positions, [buckets, heads]. */
export function relativePositionsName(architecture: Architecture): string {
  return layerModule(architecture, 0, `${architecture.names.relativePositions}.weight`);
}

/** Names and shapes of all parameters. A tied head has none of its own. */
export function parameterShapes(architecture: Architecture): Map<string, Shape> {
  const { names, hiddenSize, headSize, norm, vocabularySize } = architecture;
  const { embeddingSize = hiddenSize, encoder, relativePositions } = architecture;
  const shapes = new Map<string, Shape>(encoder === undefined ? [] : parameterShapes(encoder.stack));
  const addNorm = (module: string, size: number): void => {
    shapes.set(`${module}.weight`, [size]);
    if (norm.kind === "layer") shapes.set(`${module}.bias`, [size]);
  };
  shapes.set(`${names.embedding}.weight`, [vocabularySize, embeddingSize]);
  if (names.projectIn !== undefined) shapes.set(`${names.projectIn}.weight`, [hiddenSize, embeddingSize]);
  if (names.projectOut !== undefined) shapes.set(`${names.projectOut}.weight`, [embeddingSize, hiddenSize]);
  if (names.positions !== undefined) {
    const rows = architecture.maxPositions + (architecture.positionOffset ?? 0);
    shapes.set(`${names.positions}.weight`, [rows, hiddenSize]);
  }
  if (names.embeddingNorm !== undefined) addNorm(names.embeddingNorm, hiddenSize);
  if (relativePositions !== undefined)
    shapes.set(relativePositionsName(architecture), [relativePositions.buckets, architecture.heads]);
  architecture.layers.forEach((_, index) => {
    const { attentionNorm, attentionPostNorm, crossAttention, mlpNorm, mlpPostNorm } = names;
    const wide = [attentionNorm, attentionPostNorm, crossAttention?.norm, mlpNorm, mlpPostNorm];
    for (const part of wide)
      if (part !== undefined) addNorm(layerModule(architecture, index, part), hiddenSize);
    const whole = architecture.queryKeyNorm === "whole";
    for (const [part, heads] of [
      [names.queryNorm, architecture.heads],
      [names.keyNorm, architecture.keyValueHeads],
    ] as const)
      if (part !== undefined)
        addNorm(layerModule(architecture, index, part), whole ? heads * headSize : headSize);
  });
  for (const { module, inputs, outputs, bias } of linearModules(architecture)) {
    shapes.set(`${module}.weight`, architecture.transposed ? [inputs, outputs] : [outputs, inputs]);
    if (bias) shapes.set(`${module}.bias`, [outputs]);
  }
  if (architecture.finalNorm) addNorm(names.finalNorm, hiddenSize);
  if (!architecture.tied) shapes.set(`${names.head}.weight`, [vocabularySize, embeddingSize]);
  return shapes;
}
