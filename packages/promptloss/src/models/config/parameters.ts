// The parameters of an architecture: names as Hugging Face's files have them, and shapes.
import type { Architecture, ExpertsPlan, MlpNames } from "./architecture.ts";

export type Shape = readonly number[];

/** Elements of a tensor of a shape. */
export function numelOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Elements of tensors of these shapes, all together. */
export function elementsOf(shapes: Iterable<Shape>): number {
  return [...shapes].reduce((sum, shape) => sum + numelOf(shape), 0);
}

/** Module path of a layer's part: "model.layers.3.mlp.down_proj". */
export function layerModule(architecture: Architecture, index: number, part: string): string {
  return `${architecture.names.layers}.${index}.${part}`;
}

/** An MLP of a layer, its names relative to the layer. */
export interface MlpModules extends MlpNames {
  readonly intermediateSize: number;
  /** One of many, which only some tokens go to. */
  readonly isExpert: boolean;
}

/** The expert of an index, of a layer that has experts. */
export function expertNames({ names }: ExpertsPlan, index: number): MlpNames {
  const at = (part: string): string => `${names.experts}.${index}.${part}`;
  return { mlpInputs: names.mlpInputs.map(at), mlpOutput: at(names.mlpOutput) };
}

/** A layer's MLP, or its experts with the shared one last. */
export function mlpsOf(architecture: Architecture, layer: number): MlpModules[] {
  const { experts } = architecture.layers[layer]!;
  if (experts === undefined) {
    const { names, intermediateSize } = architecture;
    const { mlpInputs, mlpOutput } = names;
    return [{ mlpInputs, mlpOutput, intermediateSize, isExpert: false }];
  }
  const { count, intermediateSize, shared } = experts;
  const routed = Array.from({ length: count }, (_, index) => ({
    ...expertNames(experts, index),
    intermediateSize,
    isExpert: true,
  }));
  return shared === undefined ? routed : [...routed, { ...shared, isExpert: false }];
}

interface LinearModule {
  readonly module: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: boolean;
  /** Whether it is an MLP's last, whose input is the inner state. */
  readonly isMlpOutput: boolean;
  /** Of an MLP that only some tokens go to. */
  readonly isExpert: boolean;
}

/** All linear modules of the layers with their sizes, an encoder's first: what LoRA can adapt. Routers and gates of experts are none. */
export function linearModules(architecture: Architecture): LinearModule[] {
  const { encoder } = architecture;
  return [...(encoder === undefined ? [] : linearModules(encoder.stack)), ...linearModulesOf(architecture)];
}

function linearModulesOf(architecture: Architecture): LinearModule[] {
  const { names, hiddenSize, heads, keyValueHeads, headSize, biases } = architecture;
  const query = heads * headSize;
  const keyValue = keyValueHeads * headSize;
  const attention = biases.attentionInputs;
  return architecture.layers.flatMap((_, index) => {
    const at = (part: string, inputs: number, outputs: number, bias: boolean): LinearModule => ({
      module: layerModule(architecture, index, part),
      ...{ inputs, outputs, bias },
      ...{ isMlpOutput: false, isExpert: false },
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
    const mlps = mlpsOf(architecture, index).flatMap(
      ({ mlpInputs, mlpOutput, intermediateSize, isExpert }) => {
        const outputs =
          architecture.gated && mlpInputs.length === 1 ? 2 * intermediateSize : intermediateSize;
        return [
          ...mlpInputs.map((part) => ({ ...at(part, hiddenSize, outputs, biases.mlp), isExpert })),
          { ...at(mlpOutput, intermediateSize, hiddenSize, biases.mlp), isMlpOutput: true, isExpert },
        ];
      },
    );
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
      ...mlps,
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
  architecture.layers.forEach(({ experts }, index) => {
    if (experts !== undefined) {
      const { names, count, shared } = experts;
      const weight = (part: string): string => `${layerModule(architecture, index, part)}.weight`;
      shapes.set(weight(names.router), [count, hiddenSize]);
      if (shared !== undefined) shapes.set(weight(shared.gate), [1, hiddenSize]);
    }
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
