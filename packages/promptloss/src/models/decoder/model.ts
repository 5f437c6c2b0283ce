// The one decoder of all families. Reads sequences laid end to end and gives their hidden states; what differs
// between families is the architecture's plain data. Weights carry Hugging Face's names. The loss is elsewhere.
import {
  embedding,
  fromTypedArray,
  gelu,
  linear,
  noGrad,
  relu,
  scope,
  silu,
  siluMul,
  type Tensor,
  tiedEmbedding,
  tuneProcess,
} from "@promptloss/torch";
import type { BlockWeight } from "../blocks/block-weight.ts";
import type { Activation, Architecture, DropoutRates } from "../config/architecture.ts";
import type { ModelConfig } from "../config/model-config.ts";
import { layerModule, parameterShapes } from "../config/parameters.ts";
import { ModelError, ModelWeightsError } from "../errors.ts";
import type { Adapter, FrozenLinear } from "../lora/adapter.ts";
import { type AttentionPlan, attend, attentionPlan } from "./attention.ts";
import type { KeyValueCache } from "./cache.ts";
import { checkpointed } from "./checkpoint.ts";
import { type PackedSequences, positionsOf, type Segment, segmentsOf } from "./input.ts";
import { normalize } from "./norm.ts";
import type { Part, PartKeeper } from "./parts.ts";
import { type RotaryTable, rotaryTable, rotate } from "./rotary.ts";

export interface ForwardOptions {
  /** Keys and values of earlier calls; sequence i of the input continues sequence i of the cache. */
  cache?: KeyValueCache;
  /** Drop elements as `dropout` says, and as the adapter's own rate says. */
  training?: boolean;
  /** Rates in place of the config's. */
  dropout?: Partial<DropoutRates>;
  /** Keep only each layer's input and compute the layer again in the backward pass. */
  checkpointing?: boolean;
  /** NEFTune (arXiv 2310.05914): uniform noise of ±alpha / √(length · hidden size) on the embeddings. */
  neftuneAlpha?: number;
}

/** What a loss is made of. */
export interface HiddenAndHead {
  /** The last hidden states, [tokens, hidden size]. */
  readonly hidden: Tensor;
  /** The weight that turns them into logits, [vocabulary, hidden size]. */
  readonly head: Tensor;
}

/** What the layers of one forward share, made anew where a layer is computed again. */
interface Frame {
  readonly ropes: readonly RotaryTable[];
  readonly attention: AttentionPlan;
  readonly residualDropout: number;
  readonly adapterDropout: boolean;
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

const NO_DROPOUT: DropoutRates = { embedding: 0, attention: 0, residual: 0 };

/** A causal language model. Get one from `loadModel` or `createModel`. */
export class CausalLanguageModel {
  readonly config: ModelConfig;
  readonly architecture: Architecture;
  /** By Hugging Face's dotted paths. A tied head has none of its own, and neither has what is kept in blocks. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Frozen weights of linear modules in few bits, by the same names. */
  readonly blocks: ReadonlyMap<string, BlockWeight>;
  /** What a user should know of how it was loaded. */
  readonly notes: readonly string[];
  /** Trained parts beside the model's own weights. */
  adapter: Adapter | undefined;
  /** Who has the weights while they are not used; undefined where they are always there. */
  keeper: PartKeeper | undefined;
  /** Whether the weights are another model's. */
  #shares = false;

  /** @throws {ModelWeightsError} where names or shapes are not those of the config */
  constructor(
    config: ModelConfig,
    parameters: ReadonlyMap<string, Tensor>,
    notes: readonly string[] = config.notes,
    blocks: ReadonlyMap<string, BlockWeight> = new Map(),
  ) {
    this.config = config;
    this.notes = notes;
    this.architecture = config.architecture;
    this.parameters = parameters;
    this.blocks = blocks;
    const problems = weightProblems(
      this.architecture,
      new Map<string, { readonly shape: readonly number[] }>([...parameters, ...blocks]),
    );
    if (problems !== undefined) throw new ModelWeightsError("the model", problems);
    // All that computes here has a model first.
    tuneProcess();
  }

  /** Where the weights lie. */
  get device(): string {
    return this.parameter(`${this.architecture.names.embedding}.weight`).device;
  }

  /** The weight that turns hidden states into logits, [vocabulary, width]; the embedding's where tied. */
  get head(): Tensor {
    const { names, tied } = this.architecture;
    return this.parameter(`${tied ? names.embedding : names.head}.weight`);
  }

  /** What the weights are kept in: "bfloat16", or "bfloat16, NF4" where some are in blocks. */
  get keptIn(): string {
    const kinds = [...this.blocks.values()].map(({ kind }) => kind);
    return [...new Set([this.head.dtype, ...kinds.sort()])].join(", ");
  }

  /** All that is trained: the adapter's weights, and own weights that are not frozen. */
  get trainable(): ReadonlyMap<string, Tensor> {
    const all = [...this.parameters, ...(this.adapter?.parameters ?? [])];
    return new Map(all.filter(([, tensor]) => tensor.requiresGrad));
  }

  /** Names of all weights, those in blocks among them, in the order of the config. */
  get weightNames(): readonly string[] {
    return [...parameterShapes(this.architecture).keys()];
  }

  /**
   * @throws {ModelWeightsError} for a name that the model does not have
   * @throws {ModelError} for a weight that is kept in blocks
   */
  parameter(name: string): Tensor {
    const found = this.parameters.get(name);
    if (found !== undefined) return found;
    const blocked = this.blocks.get(name);
    if (blocked === undefined) throw new ModelWeightsError("the model", { missing: [name] });
    throw new ModelError(`${name} is kept in blocks of ${blocked.kind}, and is no tensor of floats`, {
      hint: "load the model without lora.base, or storage, for one",
    });
  }

  /**
   * Reads sequences and gives the last hidden states, [tokens, head's width], after the final norm.
   * @throws {ModelInputError} where the input does not fit the model or the cache
   */
  forward(input: PackedSequences, options: ForwardOptions = {}): Tensor {
    return scope(() => this.forwardToHead(input, options).hidden);
  }

  /**
   * The same, with the head to go on with: where it is tied to the embedding, both get their gradient in one go.
   * @throws {ModelInputError} as `forward`
   */
  forwardToHead(input: PackedSequences, options: ForwardOptions = {}): HiddenAndHead {
    const { cache, training = false } = options;
    return scope(() => {
      const ahead = this.adapter?.prefixTokens ?? 0;
      if (ahead > 0 && cache !== undefined) this.#readPrefix(cache);
      const past = cache?.lengths ?? new Array<number>(input.starts.length - 1).fill(ahead);
      const segments = segmentsOf(input, this.architecture, past);
      const positions = positionsOf(behind(input, ahead), segments, this.architecture);
      const rates = training ? { ...this.architecture.dropout, ...options.dropout } : NO_DROPOUT;
      const frame = (): Frame => this.#frame(segments, positions, rates, options);
      this.keeper?.enter("input", undefined);
      const { rows, head } = this.#lookUp(input.ids);
      const embedded = this.#embed(rows, positions, segments, rates, options);
      let hidden = this.keeper?.leave("input", embedded) ?? embedded;
      const shared = options.checkpointing ? undefined : frame();
      this.architecture.layers.forEach((_, index) => {
        const inner = hidden;
        hidden = this.#within(index, inner, (entered) =>
          shared !== undefined
            ? this.#layer(index, entered, shared)
            : checkpointed(
                entered,
                this.#trainableOf(index),
                (x) => scope(() => this.#layer(index, x, frame())),
                { random: training },
              ),
        );
        inner.free();
      });
      cache?.advance(segments);
      const { finalNorm, names } = this.architecture;
      const states = this.#within("output", hidden, (entered) =>
        scaledBy(
          this.architecture.hiddenScale,
          this.#projectWidth(names.projectOut, finalNorm ? this.#norm(names.finalNorm, entered) : entered),
        ),
      );
      return { hidden: states, head };
    });
  }

  /** Hidden states [..., hidden size] → logits [..., vocabulary], capped where the family caps them. */
  logits(hidden: Tensor): Tensor {
    return scope(() => {
      this.keeper?.enter("output", undefined);
      return this.logitsBy(this.head, hidden);
    });
  }

  /** The same with the head that {@link forwardToHead} gave. */
  logitsBy(head: Tensor, hidden: Tensor): Tensor {
    return scope(() => {
      const scores = linear(hidden, head);
      const cap = this.architecture.logitSoftcap;
      return cap === undefined ? scores : scores.div(cap).tanh().mul(cap);
    });
  }

  /**
   * A model of this one's weights, in the same memory, with an adapter of its own. Freeing it frees the adapter alone;
   * it is of no use once this one is freed.
   */
  sharing(adapter: Adapter): CausalLanguageModel {
    const model = new CausalLanguageModel(this.config, this.parameters, this.notes, this.blocks);
    model.#shares = true;
    model.adapter = adapter;
    return model;
  }

  /** Frees all weights; of a model that shares another's, the adapter's. */
  free(): void {
    if (!this.#shares) {
      for (const tensor of this.parameters.values()) tensor.free();
      for (const weight of this.blocks.values()) weight.free();
    }
    this.adapter?.free();
    this.keeper?.free();
  }

  /** Runs a part with its weights. */
  #within(part: Part, input: Tensor, body: (input: Tensor) => Tensor): Tensor {
    const { keeper } = this;
    return scope(() =>
      keeper === undefined ? body(input) : keeper.leave(part, body(keeper.enter(part, input))),
    );
  }

  #frame(
    segments: readonly Segment[],
    positions: Int32Array,
    rates: DropoutRates,
    options: ForwardOptions,
  ): Frame {
    const { architecture, device } = this;
    return {
      ropes: architecture.ropes.map((plan) => rotaryTable(plan, positions, segments, device)),
      attention: attentionPlan(architecture, segments, options.cache, {
        dropout: rates.attention,
        like: this.head,
        prefix: this.adapter?.prefixTokens ? (layer) => this.adapter!.prefix(layer) : undefined,
      }),
      residualDropout: rates.residual,
      adapterDropout: options.training ?? false,
    };
  }

  #index(values: Int32Array): Tensor {
    return fromTypedArray(values).long().to({ device: this.device });
  }

  #lookUp(ids: Int32Array): { rows: Tensor; head: Tensor } {
    const { names, tied } = this.architecture;
    return scope(() => {
      const table = this.parameter(`${names.embedding}.weight`);
      const places = this.#index(ids);
      return tied ? tiedEmbedding(table, places) : { rows: embedding(table, places), head: this.head };
    });
  }

  #embed(
    looked: Tensor,
    positions: Int32Array,
    segments: readonly Segment[],
    rates: DropoutRates,
    { neftuneAlpha = 0 }: ForwardOptions,
  ): Tensor {
    const { names, embeddingScale, positionOffset } = this.architecture;
    return scope(() => {
      let hidden = looked;
      if (embeddingScale !== 1) {
        // The scale in the embedding's dtype, as the family was trained.
        const scale = fromTypedArray(Float32Array.of(embeddingScale)).to({ dtype: hidden.dtype }).float();
        hidden = hidden.mul(scale.item());
      }
      if (neftuneAlpha > 0) hidden = hidden.add(neftuneNoise(hidden, segments, neftuneAlpha));
      hidden = this.#projectWidth(names.projectIn, hidden);
      if (names.positions !== undefined) {
        const rows = positions.map((position) => position + (positionOffset ?? 0));
        hidden = hidden.add(embedding(this.parameter(`${names.positions}.weight`), this.#index(rows)));
      }
      return rates.embedding > 0 ? hidden.dropout(rates.embedding) : hidden;
    });
  }

  #layer(index: number, input: Tensor, frame: Frame): Tensor {
    const { block, names, residualScale } = this.architecture;
    const norm = (part: string, x: Tensor): Tensor =>
      this.#norm(layerModule(this.architecture, index, part), x);
    const added = (x: Tensor): Tensor =>
      scaledBy(residualScale, frame.residualDropout > 0 ? x.dropout(frame.residualDropout) : x);
    const attention = (x: Tensor): Tensor => added(this.#attention(index, x, frame));
    const mlp = (x: Tensor): Tensor => added(this.#mlp(index, x, frame));
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
        const middle = norm(attentionNorm, input.add(attention(input)));
        return norm(mlpNorm, middle.add(mlp(middle)));
      }
      case "pre-and-post-norm": {
        const attended = norm(names.attentionPostNorm!, attention(norm(attentionNorm, input)));
        const middle = input.add(attended);
        return middle.add(norm(names.mlpPostNorm!, mlp(norm(mlpNorm, middle))));
      }
      case "pre-norm": {
        const middle = input.add(attention(norm(attentionNorm, input)));
        return middle.add(mlp(norm(mlpNorm, middle)));
      }
    }
  }

  #attention(index: number, x: Tensor, frame: Frame): Tensor {
    const { architecture } = this;
    const { names, queryKeyNorm } = architecture;
    let [query, key, value] = this.#queryKeyValue(index, x, frame);
    if (queryKeyNorm !== undefined) {
      const norm = (part: string, heads: Tensor): Tensor => {
        const whole = queryKeyNorm === "whole" ? heads.flatten(1) : heads;
        return this.#norm(layerModule(architecture, index, part), whole).view(heads.shape);
      };
      query = norm(names.queryNorm!, query);
      key = norm(names.keyNorm!, key);
    }
    const rope = architecture.layers[index]!.rope;
    if (rope !== undefined) {
      const table = frame.ropes[rope]!;
      query = rotate(query, table);
      key = rotate(key, table);
    }
    const output = attend(architecture, index, frame.attention, query, key, value);
    return this.#project(layerModule(architecture, index, names.attentionOutput), output, frame);
  }

  /** Each [tokens, heads, head size]. */
  #queryKeyValue(index: number, x: Tensor, frame: Frame): [Tensor, Tensor, Tensor] {
    const { architecture } = this;
    const { heads, keyValueHeads, headSize, fusedAttentionInputs } = architecture;
    const tokens = x.shape[0]!;
    const projected = architecture.names.attentionInputs.map((part) =>
      this.#project(layerModule(architecture, index, part), x, frame),
    );
    const byHead = (part: Tensor): Tensor => part.view([tokens, -1, headSize]);
    if (fusedAttentionInputs === undefined) return projected.map(byHead) as [Tensor, Tensor, Tensor];
    const all = projected[0]!;
    if (fusedAttentionInputs === "by-head")
      return all.view([tokens, heads, 3 * headSize]).chunk(3, 2) as [Tensor, Tensor, Tensor];
    return byHead(all).split([heads, keyValueHeads, keyValueHeads], 1) as [Tensor, Tensor, Tensor];
  }

  #mlp(index: number, x: Tensor, frame: Frame): Tensor {
    const { architecture } = this;
    const { names, gated } = architecture;
    const inputs = names.mlpInputs.map((part) =>
      this.#project(layerModule(architecture, index, part), x, frame),
    );
    const [gate, up] = (inputs.length === 1 && gated ? inputs[0]!.chunk(2, -1) : inputs) as [Tensor, Tensor];
    const inner = gated
      ? gateBy(architecture.activation, gate, up)
      : ACTIVATIONS[architecture.activation](gate);
    return this.#project(layerModule(architecture, index, names.mlpOutput), inner, frame);
  }

  /** A linear module with its adapter. */
  #project(module: string, x: Tensor, frame: Frame): Tensor {
    return (
      this.adapter?.apply(module, x, this.#frozen(module), frame.adapterDropout) ?? this.#multiply(module, x)
    );
  }

  #frozen(module: string): FrozenLinear {
    return {
      multiply: (x) => this.#multiply(module, x),
      bias: this.parameters.get(`${module}.bias`),
      weight: () => this.linearWeight(module),
    };
  }

  /** A linear module's weight, [outputs, inputs]; of one in blocks, what it expands to. */
  linearWeight(module: string): Tensor {
    const name = `${module}.weight`;
    const weight = this.blocks.get(name)?.expand("float32") ?? this.parameter(name);
    return this.architecture.transposed ? weight.t() : weight;
  }

  /** Puts the adapter's prefix into the rows of a cache that hold nothing yet. */
  #readPrefix(cache: KeyValueCache): void {
    const rows = cache.lengths.flatMap((held, row) => (held === 0 ? [row] : []));
    if (rows.length === 0) return;
    noGrad(() =>
      scope(() => {
        const spread = (x: Tensor): Tensor => x.to({ dtype: this.head.dtype }).transpose(0, 1).unsqueeze(0);
        const layers = this.architecture.layers.map((_, layer) => {
          const { keys, values } = this.adapter!.prefix(layer);
          return { keys: spread(keys), values: spread(values) };
        });
        for (const row of rows) cache.put(row, { tokens: this.adapter!.prefixTokens, layers });
      }),
    );
  }

  #multiply(module: string, x: Tensor): Tensor {
    const name = `${module}.weight`;
    const bias = this.parameters.get(`${module}.bias`) ?? null;
    const blocks = this.blocks.get(name);
    if (blocks !== undefined) return blocks.linear(x, bias);
    const weight = this.parameter(name);
    return linear(x, this.architecture.transposed ? weight.t() : weight, bias);
  }

  /** To another width, for models whose embedding has one of its own. */
  #projectWidth(module: string | undefined, x: Tensor): Tensor {
    return module === undefined ? x : linear(x, this.parameter(`${module}.weight`));
  }

  #norm(module: string, x: Tensor): Tensor {
    const bias = this.parameters.get(`${module}.bias`) ?? null;
    return normalize(this.architecture.norm, x, this.parameter(`${module}.weight`), bias);
  }

  #trainableOf(layer: number): Tensor[] {
    const prefix = layerModule(this.architecture, layer, "");
    return [...this.trainable].filter(([name]) => name.startsWith(prefix)).map(([, tensor]) => tensor);
  }
}

function scaledBy(factor: number, x: Tensor): Tensor {
  return factor === 1 ? x : x.mul(factor);
}

/** With positions that begin behind a prefix. */
function behind(input: PackedSequences, ahead: number): PackedSequences {
  if (ahead === 0 || input.positions === undefined) return input;
  return { ...input, positions: input.positions.map((position) => position + ahead) };
}

/** Noise for each token's embedding, without gradient. */
function neftuneNoise(hidden: Tensor, segments: readonly Segment[], alpha: number): Tensor {
  return noGrad(() => {
    const [tokens, hiddenSize] = hidden.shape as [number, number];
    const scales = new Float32Array(tokens);
    for (const { start, length } of segments)
      scales.fill(alpha / Math.sqrt(length * hiddenSize), start, start + length);
    const scale = fromTypedArray(scales, [tokens, 1]).to({ dtype: hidden.dtype, device: hidden.device });
    return hidden.randLike().mul(2).sub(1).mul(scale);
  });
}

/** What does not fit between a config and weights; undefined where all does. */
export function weightProblems(
  architecture: Architecture,
  weights: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): { missing: string[]; unexpected: string[]; mismatched: string[] } | undefined {
  const expected = parameterShapes(architecture);
  const missing = [...expected.keys()].filter((name) => !weights.has(name));
  const unexpected = [...weights.keys()].filter((name) => !expected.has(name));
  const mismatched = [...expected].flatMap(([name, shape]) => {
    const given = weights.get(name)?.shape;
    if (given === undefined || given.join() === shape.join()) return [];
    return [`${name}: [${given.join(", ")}], expected [${shape.join(", ")}]`];
  });
  const fits = missing.length + unexpected.length + mismatched.length === 0;
  return fits ? undefined : { missing, unexpected, mismatched };
}
