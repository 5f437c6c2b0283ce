// Low-rank adaptation (Hu et al., 2021): beside a frozen linear module W a trained product B·A of small rank,
// scaled by alpha / rank, or by alpha / √rank (rsLoRA, arXiv 2312.03732).
import { keep, linear, manualSeed, noGrad, scope, type Tensor, zeros } from "@promptloss/torch";
import type { Architecture } from "../config/architecture.ts";
import type { PlaceParameter } from "../decoder/parts.ts";
import { ModelError } from "../errors.ts";
import { targetModules } from "./targets.ts";

export interface LoraOptions {
  /** 8 where left out. */
  rank?: number;
  /** Twice the rank where left out. */
  alpha?: number;
  /** Probability of dropping elements of a module's input in training; 0 where left out. */
  dropout?: number;
  /** Names of modules ("q_proj"), or patterns over whole paths; all linear modules of the layers where left out. */
  targets?: readonly (string | RegExp)[];
  /** Scale by alpha / √rank. */
  rankStabilised?: boolean;
}

/** Options with all defaults filled in. */
export interface LoraSettings extends Required<Omit<LoraOptions, "targets">> {
  readonly targets: readonly (string | RegExp)[] | undefined;
}

export interface LoraPair {
  /** [rank, inputs]. */
  readonly a: Tensor;
  /** [outputs, rank]. */
  readonly b: Tensor;
}

/** What a module's pair is called, as PEFT does without its "base_model.model." before it. */
export function pairNames(module: string): [a: string, b: string] {
  return [`${module}.lora_A.weight`, `${module}.lora_B.weight`];
}

export class LoraAdapter {
  readonly settings: LoraSettings;
  /** By module path. */
  readonly pairs: ReadonlyMap<string, LoraPair>;
  /** Whether the adapted weights are [in, out], as GPT-2's are. */
  readonly transposed: boolean;

  constructor(settings: LoraSettings, pairs: ReadonlyMap<string, LoraPair>, transposed: boolean) {
    this.settings = settings;
    this.pairs = pairs;
    this.transposed = transposed;
  }

  /** By PEFT's names without its "base_model.model." before them. */
  get parameters(): ReadonlyMap<string, Tensor> {
    return new Map(
      [...this.pairs].flatMap(([module, { a, b }]) => {
        const [first, second] = pairNames(module);
        return [
          [first, a],
          [second, b],
        ];
      }),
    );
  }

  /** The factor of B·A. */
  get scale(): number {
    const { alpha, rank, rankStabilised } = this.settings;
    return alpha / (rankStabilised ? Math.sqrt(rank) : rank);
  }

  /** What the adapter adds to a module's output; undefined for a module without one. */
  delta(module: string, x: Tensor, training: boolean): Tensor | undefined {
    const pair = this.pairs.get(module);
    if (pair === undefined) return undefined;
    const { dropout } = this.settings;
    const input = x.to({ dtype: pair.a.dtype });
    const dropped = training && dropout > 0 ? input.dropout(dropout) : input;
    return linear(linear(dropped, pair.a), pair.b).mul(this.scale);
  }

  free(): void {
    for (const { a, b } of this.pairs.values()) {
      a.free();
      b.free();
    }
  }
}

/** Names and shapes of an adapter's parameters. @throws {ModelError} for a target that fits no module */
export function adapterShapes(
  architecture: Architecture,
  { rank, targets }: { readonly rank: number; readonly targets?: readonly (string | RegExp)[] | undefined },
): Map<string, readonly number[]> {
  return new Map(
    targetModules(architecture, targets).flatMap(({ module, inputs, outputs }) => {
      const [first, second] = pairNames(module);
      return [
        [first, [rank, inputs]],
        [second, [outputs, rank]],
      ];
    }),
  );
}

/** @throws {ModelError} for values out of range */
export function loraSettings(options: LoraOptions): LoraSettings {
  const { rank = 8, alpha = 2 * rank, dropout = 0, targets, rankStabilised = false } = options;
  if (!Number.isInteger(rank) || rank < 1)
    throw new ModelError(`lora: rank must be a whole number of at least 1, got ${rank}`);
  if (!Number.isFinite(alpha) || alpha <= 0)
    throw new ModelError(`lora: alpha must be above 0, got ${alpha}`);
  if (!(dropout >= 0 && dropout < 1))
    throw new ModelError(`lora: dropout must be a probability below 1, got ${dropout}`);
  return { rank, alpha, dropout, targets, rankStabilised };
}

/**
 * A new adapter in float32: A random, B zero, so that at first it changes nothing.
 * @param seed seeds libtorch's generators, so that A is the same again; without it they go on as they are
 * @param place where each parameter comes to, for an adapter that is not to be in memory whole
 */
export function createAdapter(
  architecture: Architecture,
  options: LoraOptions = {},
  {
    device = "cpu",
    seed,
    place,
  }: { device?: string; seed?: number; place?: PlaceParameter | undefined } = {},
): LoraAdapter {
  const settings = loraSettings(options);
  if (seed !== undefined) manualSeed(seed);
  const pairs = new Map<string, LoraPair>();
  for (const { module, inputs, outputs } of targetModules(architecture, settings.targets)) {
    const pair = scope(() => {
      const a = zeros([settings.rank, inputs], { device });
      const b = zeros([outputs, settings.rank], { device, requiresGrad: true });
      // The range of PyTorch's own linear modules, which is PEFT's default too: ±1 / √inputs.
      noGrad(() => a.uniform_(-1 / Math.sqrt(inputs), 1 / Math.sqrt(inputs)));
      a.requiresGrad = true;
      const [first, second] = pairNames(module);
      return keep({ a: place?.(first, a) ?? a, b: place?.(second, b) ?? b });
    });
    pairs.set(module, pair);
  }
  return new LoraAdapter(settings, pairs, architecture.transposed);
}
