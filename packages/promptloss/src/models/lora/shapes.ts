// Names and shapes of an adapter's parameters, by its kind. Pure, so that a plan counts what training will train.
import type { AdapterKind, AdapterOptions, AdapterSettings } from "../config/adapters.ts";
import type { Architecture } from "../config/architecture.ts";
import { layerModule, linearModules, type Shape } from "../config/parameters.ts";
import { ModelError } from "../errors.ts";
import { targetModules } from "./targets.ts";

/** What a module's pair is called, as PEFT does without its "base_model.model." before it. */
export function pairNames(module: string): [a: string, b: string] {
  return [`${module}.lora_A.weight`, `${module}.lora_B.weight`];
}

export function magnitudeName(module: string): string {
  return `${module}.lora_magnitude_vector`;
}

export function scaleName(module: string): string {
  return `${module}.ia3_l`;
}

/** Of a layer's prefix: its keys, and its values. */
export function prefixNames(architecture: Architecture, layer: number): [keys: string, values: string] {
  return [layerModule(architecture, layer, "prefix.keys"), layerModule(architecture, layer, "prefix.values")];
}

export interface BottleneckNames {
  readonly downWeight: string;
  readonly downBias: string;
  readonly upWeight: string;
  readonly upBias: string;
}

export function bottleneckNames(module: string): BottleneckNames {
  const at = (part: string): string => `${module}.bottleneck.${part}`;
  return {
    downWeight: at("down.weight"),
    downBias: at("down.bias"),
    upWeight: at("up.weight"),
    upBias: at("up.bias"),
  };
}

/** @throws {ModelError} for values out of range */
export function adapterSettings(options: AdapterOptions): AdapterSettings {
  const { kind = "lora", rank = 8, alpha = 2 * rank, dropout = 0, targets, rankStabilized = false } = options;
  const { tokens = 20, size = 64 } = options;
  for (const [name, count] of Object.entries({ rank, tokens, size }))
    if (!Number.isInteger(count) || count < 1)
      throw new ModelError(`${kind}: ${name} must be a whole number of at least 1, got ${count}`);
  if (!Number.isFinite(alpha) || alpha <= 0)
    throw new ModelError(`${kind}: alpha must be above 0, got ${alpha}`);
  if (!(dropout >= 0 && dropout < 1))
    throw new ModelError(`${kind}: dropout must be a probability below 1, got ${dropout}`);
  return { kind, rank, alpha, dropout, targets, rankStabilized, tokens, size };
}

type Modules = ReturnType<typeof linearModules>;

/** The linear modules that an adapter acts on; none for a prefix. Experts are among them where targets name them. */
export function adaptedModules(
  architecture: Architecture,
  { kind, targets }: Pick<AdapterSettings, "kind" | "targets">,
): Modules {
  if (kind === "prefix") return [];
  if (targets !== undefined) return targetModules(architecture, targets, kind);
  const all = linearModules(architecture).filter(({ isExpert }) => !isExpert);
  if (kind === "lora" || kind === "dora") return all;
  const { attentionInputs, attentionOutput } = architecture.names;
  const [fused, ...keyAndValue] = attentionInputs;
  const ofAttention =
    kind === "bottleneck" ? [attentionOutput] : keyAndValue.length === 0 ? [fused] : keyAndValue;
  return all.filter(
    ({ module, isMlpOutput }) => isMlpOutput || ofAttention.some((part) => module.endsWith(`.${part}`)),
  );
}

/** Whether IA3 scales a module's input, and not its output: of what is fed forward, the inner state. */
export function scalesInput({ isMlpOutput }: Modules[number]): boolean {
  return isMlpOutput;
}

type Shapes = (architecture: Architecture, settings: AdapterSettings) => [string, Shape][];

function pairShapes(architecture: Architecture, settings: AdapterSettings): [string, Shape][] {
  const { rank, kind } = settings;
  return adaptedModules(architecture, settings).flatMap(({ module, inputs, outputs }) => {
    const [first, second] = pairNames(module);
    const pair: [string, Shape][] = [
      [first, [rank, inputs]],
      [second, [outputs, rank]],
    ];
    return kind === "dora" ? [...pair, [magnitudeName(module), [outputs]]] : pair;
  });
}

const SHAPES: Readonly<Record<AdapterKind, Shapes>> = {
  lora: pairShapes,
  dora: pairShapes,
  ia3: (architecture, settings) =>
    adaptedModules(architecture, settings).map((module) => [
      scaleName(module.module),
      scalesInput(module) ? [1, module.inputs] : [module.outputs, 1],
    ]),
  prefix: (architecture, { tokens }) =>
    architecture.layers.flatMap((_, layer) => {
      const shape = [tokens, architecture.keyValueHeads * architecture.headSize];
      return prefixNames(architecture, layer).map((name): [string, Shape] => [name, shape]);
    }),
  bottleneck: (architecture, settings) =>
    adaptedModules(architecture, settings).flatMap(({ module, outputs }) => {
      const { downWeight, downBias, upWeight, upBias } = bottleneckNames(module);
      const { size } = settings;
      const shapes: [string, Shape][] = [
        [downWeight, [size, outputs]],
        [downBias, [size]],
        [upWeight, [outputs, size]],
        [upBias, [outputs]],
      ];
      return shapes;
    }),
};

/** @throws {ModelError} for a target that fits no module, and values out of range */
export function adapterShapes(architecture: Architecture, options: AdapterOptions): Map<string, Shape> {
  const settings = adapterSettings(options);
  if (settings.kind === "prefix" && architecture.encoder !== undefined)
    throw new ModelError("prefix: an adapter of this kind is for decoders, and the model has an encoder", {
      hint: "take lora, dora, ia3 or bottleneck",
    });
  return new Map(SHAPES[settings.kind](architecture, settings));
}
