// Adapters: small trained parts beside frozen linear modules, or beside the keys and values of a sequence. Low-rank pairs
// (Hu et al., 2021; rank-stabilized, arXiv 2312.03732; with magnitudes, DoRA, arXiv 2402.09353), factors of activations
// (IA3, arXiv 2205.05638), bottlenecks (Houlsby et al., 2019), and prefixes (Li & Liang, 2021).
import { gelu, keep, linear, manualSeed, matmul, noGrad, scope, type Tensor, zeros } from "@promptloss/torch";
import type { AdapterKind, AdapterOptions, AdapterSettings } from "../config/adapters.ts";
import { ADAPTER_TRAITS } from "../config/adapters.ts";
import type { Architecture } from "../config/architecture.ts";
import type { PlaceParameter } from "../decoder/parts.ts";
import { ModelError } from "../errors.ts";
import {
  adaptedModules,
  adapterSettings,
  adapterShapes,
  bottleneckNames,
  magnitudeName,
  pairNames,
  prefixNames,
  scaleName,
  scalesInput,
} from "./shapes.ts";

export type LoraOptions = AdapterOptions;

/** A linear module that an adapter acts on, which stays as it is. */
export interface FrozenLinear {
  /** x·Wᵀ + bias. */
  multiply(x: Tensor): Tensor;
  /** undefined for a module without one. */
  readonly bias: Tensor | undefined;
  /** [outputs, inputs], in floats. */
  weight(): Tensor;
}

/** Keys and values that stand before every sequence of a layer, each [tokens, key-value heads, head size]. */
export interface LayerPrefix {
  readonly keys: Tensor;
  readonly values: Tensor;
}

export interface LoraPair {
  /** [rank, inputs]. */
  readonly a: Tensor;
  /** [outputs, rank]. */
  readonly b: Tensor;
}

/** An adapter of any kind. */
export class Adapter {
  readonly settings: AdapterSettings;
  /** By PEFT's names without its "base_model.model." before them; a prefix's by layer. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** The linear modules that it acts on. */
  readonly modules: ReadonlySet<string>;
  readonly #inputScaled: ReadonlySet<string>;
  readonly #architecture: Architecture;

  /** @param parameters those of `adapterShapes` */
  constructor(
    architecture: Architecture,
    settings: AdapterSettings,
    parameters: ReadonlyMap<string, Tensor>,
  ) {
    this.settings = settings;
    this.parameters = parameters;
    const adapted = adaptedModules(architecture, settings);
    this.modules = new Set(adapted.map(({ module }) => module));
    this.#inputScaled = new Set(adapted.filter(scalesInput).map(({ module }) => module));
    this.#architecture = architecture;
  }

  get kind(): AdapterKind {
    return this.settings.kind;
  }

  /** What PEFT calls the adapted model's task. */
  get taskType(): "CAUSAL_LM" | "SEQ_2_SEQ_LM" {
    return this.#architecture.encoder === undefined ? "CAUSAL_LM" : "SEQ_2_SEQ_LM";
  }

  /** Whether the adapted weights are [in, out], as GPT-2's are. */
  get transposed(): boolean {
    return this.#architecture.transposed;
  }

  /** Of lora and dora, by module path. */
  get pairs(): ReadonlyMap<string, LoraPair> {
    const hasPairs = this.kind === "lora" || this.kind === "dora";
    return new Map(hasPairs ? [...this.modules].map((module) => [module, this.#pair(module)]) : []);
  }

  /** Of ia3: whether a module's input is scaled, and not its output. */
  scalesInput(module: string): boolean {
    return this.#inputScaled.has(module);
  }

  /** The factor of B·A. */
  get scale(): number {
    const { alpha, rank, rankStabilized } = this.settings;
    return alpha / (rankStabilized ? Math.sqrt(rank) : rank);
  }

  /** How many tokens stand before every sequence. */
  get prefixTokens(): number {
    return this.kind === "prefix" ? this.settings.tokens : 0;
  }

  prefix(layer: number): LayerPrefix {
    const { keyValueHeads, headSize } = this.#architecture;
    const [keys, values] = prefixNames(this.#architecture, layer).map((name) =>
      this.#parameter(name).view([-1, keyValueHeads, headSize]),
    );
    return { keys: keys!, values: values! };
  }

  /** A module's output with what the adapter makes of it. */
  apply(module: string, x: Tensor, base: FrozenLinear, training: boolean): Tensor {
    const { kind } = this;
    if (!this.modules.has(module)) return base.multiply(x);
    if (kind === "ia3") return this.#scaled(module, x, base);
    const output = base.multiply(x);
    if (kind === "bottleneck") return output.add(this.#narrowed(module, output).to({ dtype: output.dtype }));
    const pair = this.#pair(module);
    const { dropout } = this.settings;
    const input = x.to({ dtype: pair.a.dtype });
    const dropped = training && dropout > 0 ? input.dropout(dropout) : input;
    const change = linear(linear(dropped, pair.a), pair.b).mul(this.scale);
    if (kind === "lora") return output.add(change.to({ dtype: output.dtype }));
    // The magnitude over the norm, which is no part of the graph (section 4.3).
    const weight = base.weight().to({ dtype: "float32" });
    const factor = this.#parameter(magnitudeName(module)).div(
      noGrad(() => rowNorms(weight.add(this.#product(module)))),
    );
    const direction =
      dropped !== input ? linear(dropped, weight) : base.bias === undefined ? output : output.sub(base.bias);
    const moved = direction.to({ dtype: "float32" }).mul(factor.sub(1)).add(change.mul(factor));
    return output.add(moved.to({ dtype: output.dtype }));
  }

  /**
   * What a weight or a bias of the model is with the adapter in it, in its own dtype; undefined for one that it leaves.
   * @throws {ModelError} for a kind that weights can't hold
   */
  merged(name: string, tensor: Tensor): Tensor | undefined {
    checkMergeable(this.kind);
    const [, module = "", part] = /^(.*)\.(weight|bias)$/.exec(name) ?? [];
    if (!this.modules.has(module)) return undefined;
    if (part === "bias") return this.kind === "ia3" ? this.#mergedBias(module, tensor) : undefined;
    return scope(() => {
      const exact = tensor.dtype === "float64" ? tensor : tensor.float();
      const rows = this.transposed ? exact.t() : exact;
      const changed = this.#mergedRows(module, rows);
      return (this.transposed ? changed.t() : changed).to({ dtype: tensor.dtype });
    });
  }

  free(): void {
    for (const tensor of this.parameters.values()) tensor.free();
  }

  #parameter(name: string): Tensor {
    return this.parameters.get(name)!;
  }

  #pair(module: string): LoraPair {
    const [a, b] = pairNames(module);
    return { a: this.#parameter(a), b: this.#parameter(b) };
  }

  /** scale · B · A, [outputs, inputs]. */
  #product(module: string): Tensor {
    const { a, b } = this.#pair(module);
    return matmul(b, a).mul(this.scale);
  }

  #mergedRows(module: string, rows: Tensor): Tensor {
    if (this.kind === "ia3") return rows.mul(this.#parameter(scaleName(module)));
    const changed = rows.add(this.#product(module));
    if (this.kind === "lora") return changed;
    const factor = this.#parameter(magnitudeName(module)).div(rowNorms(changed));
    return changed.mul(factor.unsqueeze(1));
  }

  #mergedBias(module: string, bias: Tensor): Tensor | undefined {
    if (this.scalesInput(module)) return undefined;
    return scope(() =>
      bias
        .float()
        .mul(this.#parameter(scaleName(module)).flatten())
        .to({ dtype: bias.dtype }),
    );
  }

  #scaled(module: string, x: Tensor, base: FrozenLinear): Tensor {
    const factors = this.#parameter(scaleName(module)).flatten();
    if (this.scalesInput(module)) return base.multiply(x.mul(factors).to({ dtype: x.dtype }));
    const output = base.multiply(x);
    return output.mul(factors).to({ dtype: output.dtype });
  }

  #narrowed(module: string, output: Tensor): Tensor {
    const names = bottleneckNames(module);
    const at = (name: keyof typeof names): Tensor => this.#parameter(names[name]);
    const input = output.to({ dtype: at("downWeight").dtype });
    return linear(gelu(linear(input, at("downWeight"), at("downBias"))), at("upWeight"), at("upBias"));
  }
}

/** The norm of each row. */
function rowNorms(weight: Tensor): Tensor {
  return weight.mul(weight).sum(1).sqrt();
}

/** @throws {ModelError} for a kind that a model's weights can't hold */
export function checkMergeable(kind: AdapterKind): void {
  if (!ADAPTER_TRAITS[kind].mergeable)
    throw new ModelError(
      `an adapter of kind ${kind} can't be merged: no weights of the model do what it does`,
      {
        hint: "use the adapter's folder beside the model's, or train one of kind lora, dora or ia3",
      },
    );
}

export interface CreateAdapterOptions {
  /** "cpu" where left out. */
  device?: string;
  /** Seeds libtorch's generators, so that the adapter is the same again; without it they go on as they are. */
  seed?: number;
  /** Where each parameter comes to, for an adapter that is not to be in memory whole. */
  place?: PlaceParameter | undefined;
  /** A module's weight, [outputs, inputs], which dora's magnitudes come from. */
  weightOf?: (module: string) => Tensor;
}

/**
 * A new adapter in float32 that at first changes nothing; a prefix's keys and values are small random numbers.
 * @throws {ModelError} for options out of range, and targets that fit no module
 */
export function createAdapter(
  architecture: Architecture,
  options: AdapterOptions = {},
  { device = "cpu", seed, place, weightOf }: CreateAdapterOptions = {},
): Adapter {
  const settings = adapterSettings(options);
  if (seed !== undefined) manualSeed(seed);
  const parameters = [...adapterShapes(architecture, settings)].map(([name, shape]) => {
    const made = scope(() => {
      const tensor = zeros([...shape], { device });
      noGrad(() => initialize(tensor, name, weightOf));
      tensor.requiresGrad = true;
      return keep(place?.(name, tensor) ?? tensor);
    });
    return [name, made] as const;
  });
  return new Adapter(architecture, settings, new Map(parameters));
}

/** Deviation of a prefix's first keys and values, as of most models' weights. */
const PREFIX_DEVIATION = 0.02;

/** Of zeros. What is multiplied last stays zero. */
function initialize(tensor: Tensor, name: string, weightOf: CreateAdapterOptions["weightOf"]): void {
  const inputs = tensor.shape.at(-1)!;
  // The range of PyTorch's own linear modules, which is PEFT's default too: ±1 / √inputs.
  if (/\.(lora_A|bottleneck\.down)\.weight$/.test(name))
    tensor.uniform_(-1 / Math.sqrt(inputs), 1 / Math.sqrt(inputs));
  else if (name.endsWith(".ia3_l")) tensor.fill_(1);
  else if (/\.prefix\.(keys|values)$/.test(name)) tensor.normal_(0, PREFIX_DEVIATION);
  else if (name.endsWith(".lora_magnitude_vector")) {
    if (weightOf === undefined) throw new ModelError("dora: an adapter of this kind is made with its model");
    const weight = weightOf(name.replace(/\.lora_magnitude_vector$/, ""));
    tensor.copy_(rowNorms(weight.float()));
  }
}
