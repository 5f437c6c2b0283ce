// The kinds of adapters: small trained parts beside a model's frozen weights. Pure, so that a recipe may name them.

export const ADAPTER_KINDS = ["lora", "dora", "ia3", "prefix", "bottleneck"] as const;

export type AdapterKind = (typeof ADAPTER_KINDS)[number];

/** What a kind is, where other code has to know. */
export interface AdapterTraits {
  /** The keys of a recipe that the kind has, beside those that all have. */
  readonly keys: readonly string[];
  /** Whether a model's weights can hold what it does. */
  readonly mergeable: boolean;
  /** Whether processes may divide it among themselves. */
  readonly divisible: boolean;
}

const LOW_RANK = ["rank", "alpha", "dropout", "targets", "rslora"];

export const ADAPTER_TRAITS: Readonly<Record<AdapterKind, AdapterTraits>> = {
  lora: { keys: LOW_RANK, mergeable: true, divisible: true },
  // Its magnitudes come from whole weights.
  dora: { keys: LOW_RANK, mergeable: true, divisible: false },
  ia3: { keys: ["targets"], mergeable: true, divisible: false },
  prefix: { keys: ["tokens"], mergeable: false, divisible: false },
  bottleneck: { keys: ["size"], mergeable: false, divisible: false },
};

export interface AdapterOptions {
  /** `lora` where left out. */
  kind?: AdapterKind;
  /** Of lora and dora; 8 where left out. */
  rank?: number;
  /** Of lora and dora; twice the rank where left out. */
  alpha?: number;
  /** Of lora and dora: probability of dropping elements of a module's input in training; 0 where left out. */
  dropout?: number;
  /** Names of modules ("q_proj"), or patterns over whole paths; the kind's own choice where left out. */
  targets?: readonly (string | RegExp)[] | undefined;
  /** Of lora and dora: scale by alpha / √rank. */
  rankStabilized?: boolean;
  /** Of prefix: how many tokens stand before every sequence; 20 where left out. */
  tokens?: number;
  /** Of bottleneck: the width inside; 64 where left out. */
  size?: number;
}

/** Options with all defaults filled in. */
export interface AdapterSettings extends Required<Omit<AdapterOptions, "targets">> {
  readonly targets: readonly (string | RegExp)[] | undefined;
}
