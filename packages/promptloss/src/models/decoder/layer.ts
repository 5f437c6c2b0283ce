// One layer of a stack: attention, attention to an encoder where there is one, and the MLP, with their norms where the
// architecture has them. Weights and adapters are the model's business.
import { gelu, relu, silu, siluMul, type Tensor } from "@promptloss/torch";
import type { Activation, Architecture, MlpNames } from "../config/architecture.ts";
import { expertNames, layerModule } from "../config/parameters.ts";
import { type AttentionPlan, attend } from "./attention.ts";
import type { KeyValueCache } from "./cache.ts";
import { apart, attendAcross, attendAcrossPacked } from "./cross-attention.ts";
import { mixExperts } from "./experts.ts";
import type { Segment } from "./input.ts";
import { type RotaryTable, rotate } from "./rotary.ts";

/** What the layers of one forward share, made anew where a layer is computed again. */
export interface Frame {
  readonly stack: Architecture;
  readonly ropes: readonly RotaryTable[];
  readonly attention: AttentionPlan;
  /** Undefined for a stack that attends to itself alone. */
  readonly across: CrossPlan | undefined;
  readonly residualDropout: number;
  readonly mlpDropout: number;
  readonly adapterDropout: boolean;
}

/** What a decoder's layers attend to beside their own tokens. */
export interface CrossPlan {
  /** The encoder's last hidden states of prompts read now, end to end, [tokens, width]; undefined where a cache has all. */
  readonly states: Tensor | undefined;
  /** Where each of these prompts lies. */
  readonly spans: readonly Segment[];
  /** Whose prompts they are. */
  readonly fresh: readonly number[];
  readonly segments: readonly Segment[];
  readonly cache: KeyValueCache | undefined;
  readonly dropout: number;
}

/** A model's modules by their paths. */
export interface LayerModules {
  /** A linear module with its adapter. */
  project(module: string, x: Tensor, frame: Frame): Tensor;
  /** One that adapters leave. */
  plain(module: string, x: Tensor): Tensor;
  norm(module: string, x: Tensor): Tensor;
}

const ACTIVATIONS: Readonly<Record<Activation, (x: Tensor) => Tensor>> = {
  silu,
  relu,
  gelu: (x) => gelu(x),
  "gelu-tanh": (x) => gelu(x, { approximate: "tanh" }),
};

function gateBy(activation: Activation, gate: Tensor, up: Tensor): Tensor {
  return activation === "silu" ? siluMul(gate, up) : ACTIVATIONS[activation](gate).mul(up);
}

/** @param input [tokens, width] @returns the same shape */
export function computeLayer(modules: LayerModules, index: number, input: Tensor, frame: Frame): Tensor {
  const { block, names, residualScale } = frame.stack;
  const norm = (part: string, x: Tensor): Tensor => modules.norm(layerModule(frame.stack, index, part), x);
  const added = (x: Tensor): Tensor =>
    scaledBy(residualScale, frame.residualDropout > 0 ? x.dropout(frame.residualDropout) : x);
  const attention = (x: Tensor): Tensor => added(selfAttention(modules, index, x, frame));
  const mlp = (x: Tensor): Tensor => added(feedForward(modules, index, x, frame));
  const across = names.crossAttention?.norm;
  const crossed = (x: Tensor): Tensor => added(crossAttention(modules, index, x, frame));
  const { attentionNorm, mlpNorm } = names;
  switch (block) {
    case "parallel": {
      const read = norm(attentionNorm, input);
      const sum = input.add(attention(read));
      return sum.add(mlp(mlpNorm === attentionNorm ? read : norm(mlpNorm, input)));
    }
    case "inside-norm": {
      const middle = input.add(norm(attentionNorm, attention(input)));
      return middle.add(norm(mlpNorm, mlp(middle)));
    }
    case "post-norm": {
      let middle = norm(attentionNorm, input.add(attention(input)));
      if (across !== undefined) middle = norm(across, middle.add(crossed(middle)));
      return norm(mlpNorm, middle.add(mlp(middle)));
    }
    case "pre-and-post-norm": {
      const attended = norm(names.attentionPostNorm!, attention(norm(attentionNorm, input)));
      const middle = input.add(attended);
      return middle.add(norm(names.mlpPostNorm!, mlp(norm(mlpNorm, middle))));
    }
    case "pre-norm": {
      let middle = input.add(attention(norm(attentionNorm, input)));
      if (across !== undefined) middle = middle.add(crossed(norm(across, middle)));
      return middle.add(mlp(norm(mlpNorm, middle)));
    }
  }
}

function selfAttention(modules: LayerModules, index: number, x: Tensor, frame: Frame): Tensor {
  const { stack } = frame;
  const { names, queryKeyNorm } = stack;
  let [query, key, value] = queryKeyValue(modules, index, x, frame);
  if (queryKeyNorm !== undefined) {
    const norm = (part: string, heads: Tensor): Tensor => {
      const whole = queryKeyNorm === "whole" ? heads.flatten(1) : heads;
      return modules.norm(layerModule(stack, index, part), whole).view(heads.shape);
    };
    query = norm(names.queryNorm!, query);
    key = norm(names.keyNorm!, key);
  }
  const rope = stack.layers[index]!.rope;
  if (rope !== undefined) {
    const table = frame.ropes[rope]!;
    query = rotate(query, table);
    key = rotate(key, table);
  }
  const output = attend(stack, index, frame.attention, query, key, value);
  return modules.project(layerModule(stack, index, names.attentionOutput), output, frame);
}

/** Each [tokens, heads, head size]. */
function queryKeyValue(
  modules: LayerModules,
  index: number,
  x: Tensor,
  frame: Frame,
): [Tensor, Tensor, Tensor] {
  const { stack } = frame;
  const { heads, keyValueHeads, headSize, fusedAttentionInputs } = stack;
  const tokens = x.shape[0]!;
  const projected = stack.names.attentionInputs.map((part) =>
    modules.project(layerModule(stack, index, part), x, frame),
  );
  const byHead = (part: Tensor): Tensor => part.view([tokens, -1, headSize]);
  if (fusedAttentionInputs === undefined) return projected.map(byHead) as [Tensor, Tensor, Tensor];
  const all = projected[0]!;
  if (fusedAttentionInputs === "by-head")
    return all.view([tokens, heads, 3 * headSize]).chunk(3, 2) as [Tensor, Tensor, Tensor];
  return byHead(all).split([heads, keyValueHeads, keyValueHeads], 1) as [Tensor, Tensor, Tensor];
}

/** To the encoder's states, whose keys and values a cache keeps. */
function crossAttention(modules: LayerModules, index: number, x: Tensor, frame: Frame): Tensor {
  const { stack, across } = frame;
  const { states, spans, fresh, segments, cache, dropout } = across!;
  const { inputs, output } = stack.names.crossAttention!;
  const heads = (part: string, from: Tensor): Tensor =>
    modules.project(layerModule(stack, index, part), from, frame).view([from.shape[0]!, -1, stack.headSize]);
  const options = { scale: stack.layers[index]!.attentionScale, dropout };
  const query = heads(inputs[0], x);
  const read = (): Tensor => {
    const both = states && ([heads(inputs[1], states), heads(inputs[2], states)] as const);
    if (cache === undefined) return attendAcrossPacked(query, segments, both!, spans, options);
    const [keys, values] = (both ?? []).map((packed) => apart(packed, spans));
    fresh.forEach((sequence, i) => {
      cache.keepPrompt(sequence, keys![i]!, values![i]!);
    });
    const prompts = segments.map((_, sequence) => cache.prompts[sequence]!.layers[index]!);
    return attendAcross(query, segments, prompts, options);
  };
  return modules.project(layerModule(stack, index, output), read(), frame);
}

/** The layer's MLP, or its experts. */
function feedForward(modules: LayerModules, index: number, x: Tensor, frame: Frame): Tensor {
  const { stack } = frame;
  const { experts } = stack.layers[index]!;
  const through = (names: MlpNames, rows: Tensor): Tensor => throughMlp(modules, index, names, rows, frame);
  if (experts === undefined) return through(stack.names, x);
  const plain = (part: string): Tensor => modules.plain(layerModule(stack, index, part), x);
  const mixed = mixExperts(experts, x, {
    score: () => plain(experts.names.router),
    compute: (expert, rows) => through(expertNames(experts, expert), rows),
  });
  const { shared } = experts;
  return shared === undefined ? mixed : mixed.add(through(shared, x).mul(plain(shared.gate).sigmoid()));
}

function throughMlp(
  modules: LayerModules,
  index: number,
  { mlpInputs, mlpOutput }: MlpNames,
  x: Tensor,
  frame: Frame,
): Tensor {
  const { stack, mlpDropout } = frame;
  const { gated, activation } = stack;
  const inputs = mlpInputs.map((part) => modules.project(layerModule(stack, index, part), x, frame));
  const [gate, up] = (inputs.length === 1 && gated ? inputs[0]!.chunk(2, -1) : inputs) as [Tensor, Tensor];
  const inner = gated ? gateBy(activation, gate, up) : ACTIVATIONS[activation](gate);
  const dropped = mlpDropout > 0 ? inner.dropout(mlpDropout) : inner;
  return modules.project(layerModule(stack, index, mlpOutput), dropped, frame);
}

export function scaledBy(factor: number, x: Tensor): Tensor {
  return factor === 1 ? x : x.mul(factor);
}
