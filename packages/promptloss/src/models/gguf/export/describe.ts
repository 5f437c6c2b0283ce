// A model's config → the metadata that llama.cpp reads. What its code for an architecture has no setting for must be as
// that code computes it: a model that differs is refused, as the file would be another model.

import type { JsonObject } from "../../../json-object.ts";
import type { Architecture, RopePlan } from "../../config/architecture.ts";
import type { ModelConfig } from "../../config/model-config.ts";
import { ARCHITECTURES, type GgufArchitecture, queryScalar } from "../architectures.ts";
import { GgufError } from "../format/errors.ts";
import { float32, type Typed, text, uint32 } from "../format/write.ts";

export interface DescribedModel {
  readonly architecture: GgufArchitecture;
  readonly metadata: ReadonlyMap<string, Typed>;
  /** Tensors that say how positions turn, by name. */
  readonly ropes: ReadonlyMap<string, Float32Array>;
  readonly notes: readonly string[];
}

/** @throws {GgufError} for a model that llama.cpp would compute otherwise */
export function describeModel(model: ModelConfig, path: string): DescribedModel {
  const { architecture: plan, family, json } = model;
  const architecture = ARCHITECTURES.find(({ modelTypes }) => modelTypes.includes(family.modelType));
  if (architecture === undefined) {
    const known = ARCHITECTURES.flatMap(({ modelTypes }) => modelTypes).join(", ");
    throw new GgufError(path, `models of type ${family.modelType} are not written; written are ${known}`);
  }
  const notes: string[] = [];
  checkComputes(plan, json, architecture, path, notes);
  const key = (name: string): string => `${architecture.name}.${name}`;
  const isRms = plan.norm.kind === "rms";
  const metadata = new Map<string, Typed>([
    ["general.architecture", text(architecture.name)],
    [key("vocab_size"), uint32(plan.vocabularySize)],
    [key("context_length"), uint32(plan.maxPositions)],
    [key("embedding_length"), uint32(plan.hiddenSize)],
    [key("block_count"), uint32(plan.layers.length)],
    [key("feed_forward_length"), uint32(plan.intermediateSize)],
    [key("attention.head_count"), uint32(plan.heads)],
    [key("attention.head_count_kv"), uint32(plan.keyValueHeads)],
    [
      key(isRms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon"),
      float32(plan.norm.eps),
    ],
  ]);
  const set = (name: string, typed: Typed): void => void metadata.set(key(name), typed);
  if (plan.attentionSoftcap !== undefined) set("attn_logit_softcapping", float32(plan.attentionSoftcap));
  if (plan.logitSoftcap !== undefined) set("final_logit_softcapping", float32(plan.logitSoftcap));
  const ropes = new Map<string, Float32Array>();
  const rope = plan.ropes.at(-1);
  if (rope !== undefined) {
    set("attention.key_length", uint32(plan.headSize));
    set("attention.value_length", uint32(plan.headSize));
    set("rope.dimension_count", uint32(rope.width));
    describeRope(rope, json, { set, ropes, path });
  }
  const window = plan.layers.map((layer) => layer.window).find((each) => each !== undefined);
  if (window !== undefined && WINDOWED.has(architecture.name))
    set("attention.sliding_window", uint32(window));
  return { architecture, metadata, ropes, notes };
}

/** Architectures whose windows llama.cpp knows. */
const WINDOWED: ReadonlySet<string> = new Set(["gemma2", "gemma3", "phi3"]);

function checkComputes(
  plan: Architecture,
  json: Readonly<JsonObject>,
  { name }: GgufArchitecture,
  path: string,
  notes: string[],
): void {
  const refuse = (what: string): never => {
    throw new GgufError(path, `${what}, which llama.cpp has no setting for in ${name}`);
  };
  const isGemma = name.startsWith("gemma");
  const activation = isGemma || name === "gpt2" ? "gelu-tanh" : "silu";
  if (plan.activation !== activation) refuse(`its activation is ${plan.activation}`);
  const largest = { gemma2: 46, gemma3: 62 }[name] ?? 0;
  const scalar = isGemma ? queryScalar({ ...json, head_dim: plan.headSize }, largest) : plan.headSize;
  if (plan.layers.some(({ attentionScale }) => Math.abs(attentionScale * Math.sqrt(scalar) - 1) > 1e-6))
    refuse(`its attention is not scaled by 1 / √${scalar}`);
  const windows = plan.layers.map(({ window }) => window);
  if (isGemma) {
    const pattern = name === "gemma2" ? 2 : 6;
    if (windows.some((window, i) => (window === undefined) !== ((i + 1) % pattern === 0)))
      refuse(`its layers with a window are not all but every ${pattern}th`);
    if (name === "gemma3" && Math.abs(plan.ropes[0]!.frequencies[1]! - 10000 ** (-2 / plan.headSize)) > 1e-6)
      refuse("its layers with a window turn positions by another base than 10000");
  } else if (!WINDOWED.has(name)) {
    const least = windows.reduce<number>((low, window) => Math.min(low, window ?? low), plan.maxPositions);
    if (least < plan.maxPositions)
      notes.push(`llama.cpp has no window in ${name}: beyond ${least} tokens its results differ`);
  }
}

interface RopeTarget {
  readonly set: (name: string, typed: Typed) => void;
  readonly ropes: Map<string, Float32Array>;
  readonly path: string;
}

function describeRope(rope: RopePlan, json: Readonly<JsonObject>, { set, ropes, path }: RopeTarget): void {
  const { theta, scaling } = ropeOf(json);
  set("rope.freq_base", float32(theta));
  const type = (scaling.rope_type ?? scaling.type ?? "default") as string;
  const number = (key: string): number | undefined =>
    typeof scaling[key] === "number" ? (scaling[key] as number) : undefined;
  const base = Float32Array.from(rope.frequencies, (_, i) => theta ** ((-2 * i) / rope.width));
  const over = (frequencies: Float32Array): Float32Array => base.map((each, i) => each / frequencies[i]!);
  if (type === "default" || type === "dynamic") return;
  if (type === "linear") {
    set("rope.scaling.type", text("linear"));
    set("rope.scaling.factor", float32(number("factor")!));
  } else if (type === "llama3") {
    ropes.set("rope_freqs.weight", over(rope.frequencies));
  } else if (type === "longrope" || type === "su") {
    if (rope.long === undefined) throw new GgufError(path, "its longrope has no long factors");
    ropes.set("rope_factors_short.weight", over(rope.frequencies));
    ropes.set("rope_factors_long.weight", over(rope.long.frequencies));
    set("rope.scaling.original_context_length", uint32(rope.long.above));
    set("rope.scaling.attn_factor", float32(rope.scale));
  } else if (
    type === "yarn" &&
    ["attention_factor", "mscale", "beta_fast", "beta_slow", "truncate"].every(
      (key) => !(key in scaling) || scaling[key] === null,
    )
  ) {
    set("rope.scaling.type", text("yarn"));
    const original = number("original_max_position_embeddings");
    set("rope.scaling.factor", float32(number("factor") ?? 1));
    if (original !== undefined) set("rope.scaling.original_context_length", uint32(original));
  } else throw new GgufError(path, `positions scaled by ${type} with settings of their own are not written`);
}

/** The base and the scaling of a config's rope for layers that see everything. */
function ropeOf(json: Readonly<JsonObject>): { theta: number; scaling: JsonObject } {
  const object = (value: unknown): JsonObject =>
    typeof value === "object" && value !== null ? (value as JsonObject) : {};
  const parameters = object(json.rope_parameters);
  const scaling = { ...object(parameters.full_attention ?? parameters), ...object(json.rope_scaling) };
  const fallback = json.model_type === "gemma3_text" ? 1000000 : 10000;
  return { theta: Number(scaling.rope_theta ?? json.rope_theta ?? fallback), scaling };
}
