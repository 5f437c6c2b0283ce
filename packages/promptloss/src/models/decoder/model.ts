// The one model of all families: a decoder, or an encoder with a decoder. Reads sequences laid end to end and gives their
// hidden states; what differs between families is the architecture's plain data. Weights carry Hugging Face's names. The
// loss is elsewhere.
import {
  cat,
  embedding,
  fromTypedArray,
  linear,
  noGrad,
  scope,
  type Tensor,
  tiedEmbedding,
  tryDevice,
  tuneProcess,
  upload,
  zeros,
} from "@promptloss/torch";
import type { BlockWeight } from "../blocks/block-weight.ts";
import type { Architecture, DropoutRates, EncoderPlan } from "../config/architecture.ts";
import type { ModelConfig } from "../config/model-config.ts";
import { layerModule, parameterShapes, relativePositionsName } from "../config/parameters.ts";
import { strategyOf } from "../device-strategy.ts";
import { ModelError, ModelInputError, ModelWeightsError } from "../errors.ts";
import type { Adapter, FrozenLinear } from "../lora/adapter.ts";
import { attentionPlan } from "./attention.ts";
import type { KeyValueCache } from "./cache.ts";
import { checkpointed, type Recall } from "./checkpoint.ts";
import { joinIds, type PackedSequences, positionsOf, type Segment, segmentsOf } from "./input.ts";
import { type CrossPlan, computeLayer, type Frame, type LayerModules, scaledBy } from "./layer.ts";
import { normalize } from "./norm.ts";
import type { Part, PartKeeper } from "./parts.ts";
import { RelativeBias } from "./relative-positions.ts";
import { rotaryTable } from "./rotary.ts";
import { sidesOf } from "./sides.ts";

export interface ForwardOptions {
  /** Keys and values of earlier calls; sequence i of the input continues sequence i of the cache. */
  cache?: KeyValueCache;
  /**
   * Compute attention in the same way whether the cache holds something or not, so that a sequence's numbers do not depend
   * on those beside it.
   */
  throughCache?: boolean;
  /**
   * The ids of the input, [tokens] int64 on the model's device, where the host does not know them yet: those of the input
   * then say only how many there are. Not for sequences whose prompt an encoder reads now.
   */
  deviceIds?: Tensor;
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

const NO_DROPOUT: Required<DropoutRates> = { embedding: 0, attention: 0, residual: 0, mlp: 0, output: 0 };

/** One stack's way over an input. */
interface Run {
  readonly stack: Architecture;
  readonly segments: readonly Segment[];
  readonly positions: Int32Array;
  readonly rates: Required<DropoutRates>;
  readonly options: ForwardOptions;
  readonly across?: CrossPlan;
}

/** A language model that predicts each token from those before it. Get one from `loadModel` or `createModel`. */
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
    this.notes = [...notes, ...tryDevice(this.device)];
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
    const { encoder } = this.architecture;
    return scope(() =>
      encoder === undefined ? this.#decode(input, options) : this.#encodeAndDecode(input, encoder, options),
    );
  }

  #decode(input: PackedSequences, options: ForwardOptions): HiddenAndHead {
    const { cache } = options;
    const ahead = this.adapter?.prefixTokens ?? 0;
    if (ahead > 0 && cache !== undefined) this.#readPrefix(cache);
    const run = this.#runOf(this.architecture, behind(input, ahead), options, ahead);
    this.keeper?.enter("input", undefined);
    const { rows, head } = this.#lookUp(input.ids, options.deviceIds);
    const embedded = this.#embed(rows, run);
    const hidden = this.#compute(this.keeper?.leave("input", embedded) ?? embedded, run);
    cache?.advance(run.segments);
    return { hidden, head };
  }

  /** A place that the decoder does not read has a state of zeros. */
  #encodeAndDecode(input: PackedSequences, plan: EncoderPlan, options: ForwardOptions): HiddenAndHead {
    const { cache } = options;
    segmentsOf(input, this.architecture, cache?.lengths);
    const held = cache?.prompts;
    const { encoder, fresh, decoder, states } = sidesOf(
      input,
      plan,
      (sequence) => held?.[sequence] !== undefined,
    );
    if (encoder !== undefined && options.deviceIds !== undefined)
      throw new ModelInputError("an encoder's prompt has ids that are not on the host");
    const { rows, head } = this.#lookUp(
      encoder === undefined ? decoder.ids : joinIds(encoder.ids, decoder.ids),
      options.deviceIds,
    );
    const apart = encoder === undefined ? [rows] : rows.split([encoder.ids.length, decoder.ids.length], 0);
    const { cache: _, ...uncached } = options;
    const first = encoder && this.#runOf(plan.stack, encoder, uncached);
    const second = this.#runOf(this.architecture, decoder, options);
    const across: CrossPlan = {
      states: first && this.#compute(this.#embed(apart[0]!, first), first),
      spans: first?.segments ?? [],
      fresh,
      segments: second.segments,
      cache,
      dropout: second.rates.attention,
    };
    const hidden = this.#compute(this.#embed(apart.at(-1)!, second), { ...second, across });
    cache?.advance(second.segments);
    return { hidden: states === undefined ? hidden : placed(hidden, states), head };
  }

  /** @param ahead tokens before every sequence that no cache holds */
  #runOf(stack: Architecture, input: PackedSequences, options: ForwardOptions, ahead = 0): Run {
    const { cache, training = false } = options;
    const past = cache?.lengths ?? new Array<number>(input.starts.length - 1).fill(ahead);
    const segments = segmentsOf(input, stack, past);
    const positions = positionsOf(input, segments, stack);
    const rates = training ? ratesOf(stack.dropout, options.dropout) : NO_DROPOUT;
    return { stack, segments, positions, rates, options };
  }

  /** A stack's last hidden states, after its final norm. */
  #compute(embedded: Tensor, run: Run): Tensor {
    const { stack, rates } = run;
    const { training = false, checkpointing = false } = run.options;
    const shared = checkpointing ? undefined : this.#frame(run);
    const { recallsAttention } = strategyOf(this.device);
    let hidden = embedded;
    stack.layers.forEach((_, index) => {
      const inner = hidden;
      hidden = this.#within(index, inner, (entered) =>
        shared !== undefined
          ? this.#layer(index, entered, shared)
          : checkpointed(
              run.across?.states === undefined ? [entered] : [entered, run.across.states],
              this.#trainableOf(index, stack),
              ([x, states], recall) =>
                scope(() =>
                  this.#layer(
                    index,
                    x!,
                    this.#frame(withStates(run, states), recallsAttention ? recall : undefined),
                  ),
                ),
              { random: training },
            ),
      );
      inner.free();
    });
    const { finalNorm, names } = stack;
    return this.#within("output", hidden, (entered) => {
      const normed = finalNorm ? this.#norm(names.finalNorm, entered) : entered;
      const states = rates.output > 0 ? normed.dropout(rates.output) : normed;
      return scaledBy(stack.hiddenScale, this.#projectWidth(names.projectOut, states));
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

  #frame({ stack, segments, positions, rates, options, across }: Run, recall?: Recall): Frame {
    const { device } = this;
    const { relativePositions } = stack;
    return {
      stack,
      ropes: stack.ropes.map((plan) => rotaryTable(plan, positions, segments, device)),
      attention: attentionPlan(stack, segments, options.cache, {
        dropout: rates.attention,
        like: this.head,
        throughCache: options.throughCache ?? false,
        prefix: this.adapter?.prefixTokens ? (layer) => this.adapter!.prefix(layer) : undefined,
        bias:
          relativePositions &&
          new RelativeBias(relativePositions, this.parameter(relativePositionsName(stack))),
        recall,
      }),
      across,
      residualDropout: rates.residual,
      mlpDropout: rates.mlp,
      adapterDropout: options.training ?? false,
    };
  }

  #index(values: Int32Array): Tensor {
    return upload([values], this.device)[0]!.long();
  }

  #lookUp(ids: Int32Array, onDevice?: Tensor): { rows: Tensor; head: Tensor } {
    const { names, tied } = this.architecture;
    return scope(() => {
      const table = this.parameter(`${names.embedding}.weight`);
      const places = onDevice ?? this.#index(ids);
      return tied ? tiedEmbedding(table, places) : { rows: embedding(table, places), head: this.head };
    });
  }

  #embed(looked: Tensor, { stack, positions, segments, rates, options }: Run): Tensor {
    const { names, embeddingScale, positionOffset } = stack;
    const { neftuneAlpha = 0 } = options;
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
      if (names.embeddingNorm !== undefined) hidden = this.#norm(names.embeddingNorm, hidden);
      return rates.embedding > 0 ? hidden.dropout(rates.embedding) : hidden;
    });
  }

  #layer(index: number, input: Tensor, frame: Frame): Tensor {
    return computeLayer(this.#modules, index, input, frame);
  }

  readonly #modules: LayerModules = {
    project: (module, x, frame) => this.#project(module, x, frame),
    plain: (module, x) => this.#multiply(module, x),
    norm: (module, x) => this.#norm(module, x),
  };

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

  /** What a layer reads and trains: its own, and what all layers share. */
  #trainableOf(layer: number, stack: Architecture): Tensor[] {
    const prefix = layerModule(stack, layer, "");
    const shared = stack.relativePositions && relativePositionsName(stack);
    return [...this.trainable]
      .filter(([name]) => name.startsWith(prefix) || name === shared)
      .map(([, tensor]) => tensor);
  }
}

function withStates(run: Run, states: Tensor | undefined): Run {
  return states === undefined ? run : { ...run, across: { ...run.across!, states } };
}

/** A stack's own rates with those given in their place; one that it does not have stays 0. */
function ratesOf(own: DropoutRates, given: Partial<DropoutRates> = {}): Required<DropoutRates> {
  const further = (rate: number | undefined): number => (rate === undefined ? 0 : (given.residual ?? rate));
  return { ...own, ...given, mlp: further(own.mlp), output: further(own.output) };
}

/** The states of places: row `states[place]`, and zeros where that is −1. */
function placed(hidden: Tensor, states: Int32Array): Tensor {
  const [tokens, width] = hidden.shape as [number, number];
  const { dtype, device } = hidden;
  const index = BigInt64Array.from(states, (state) => BigInt(state < 0 ? tokens : state));
  const rows = cat([hidden, zeros([1, width], { dtype, device })], 0);
  return rows.indexSelect(0, upload([index], device)[0]!);
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
    const [sent] = upload([scales], hidden.device) as [Tensor];
    const scale = sent.unsqueeze(1).to({ dtype: hidden.dtype });
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
