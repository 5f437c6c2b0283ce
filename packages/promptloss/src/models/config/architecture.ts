// What a model computes, as plain data: the whole difference between one family and another. Parsed from
// config.json by the families; the decoder knows nothing else about a model.

export type Activation = "silu" | "gelu" | "gelu-tanh" | "relu";

/** Rotary positions (Su et al., 2021): the angles that turn each pair of query and key elements. */
export interface RopePlan {
  /** Elements of a head that are turned, the first ones; the rest pass. Even. */
  readonly width: number;
  /** Radians a position for each pair, [width / 2]. */
  readonly frequencies: Float32Array;
  /** Other frequencies for sequences longer than `above` (LongRoPE). */
  readonly long?: { readonly above: number; readonly frequencies: Float32Array };
  /** A factor for both cosine and sine. */
  readonly scale: number;
  /** The longest sequence that these frequencies hold for. */
  readonly limit?: number;
}

/** Many MLPs in a layer, a few of them for each token: those that a router's softmax gives most to (Shazeer et al., 2017). */
export interface ExpertsPlan {
  readonly count: number;
  /** Experts that a token goes to. */
  readonly perToken: number;
  /** Of one expert. */
  readonly intermediateSize: number;
  /** The chosen experts' probabilities are divided by their sum. */
  readonly normalized: boolean;
  readonly names: ExpertNames;
  /** One more for all tokens, its output multiplied by the sigmoid of a gate. */
  readonly shared?: SharedExpert;
}

/** Modules relative to the layer; those of an expert to `${experts}.${index}`. */
export interface ExpertNames extends MlpNames {
  readonly router: string;
  readonly experts: string;
}

export interface SharedExpert extends MlpNames {
  readonly intermediateSize: number;
  readonly gate: string;
}

export interface LayerPlan {
  /** A position sees itself and the window − 1 before it; undefined for all before it. */
  readonly window: number | undefined;
  /** Index in `ropes`; undefined for learned positions. */
  readonly rope: number | undefined;
  /** A factor for q·k. */
  readonly attentionScale: number;
  /** In the one MLP's place. */
  readonly experts?: ExpertsPlan;
}

export interface NormPlan {
  readonly kind: "rms" | "layer";
  readonly eps: number;
  /** Gemma stores weights around 0 and adds 1. */
  readonly weightOffset: 0 | 1;
}

/** Probabilities with which training zeroes elements. */
export interface DropoutRates {
  readonly embedding: number;
  readonly attention: number;
  readonly residual: number;
  /** Inside the MLP, before its output. */
  readonly mlp?: number;
  /** Behind the final norm. */
  readonly output?: number;
}

/** Learned numbers for distances, added to the scores of attention (T5). */
export interface RelativePositions {
  readonly buckets: number;
  /** From this distance on all share the last bucket. */
  readonly maxDistance: number;
  /** Whether keys behind a query have buckets of their own. */
  readonly bidirectional: boolean;
}

/** What makes a decoder the second of two stacks. */
export interface EncoderPlan {
  /** The first: its layers see all tokens, and it shares the embedding. */
  readonly stack: Architecture;
  /** The token that the decoder reads first. */
  readonly startId: number;
  /** The token that ends what the encoder reads; undefined where nothing does. */
  readonly endId: number | undefined;
  /** Whether the decoder reads the prompt too, before the completion. */
  readonly promptInDecoder: boolean;
}

/** Modules of a layer's attention to the encoder, relative to the layer. */
export interface CrossAttentionNames {
  readonly norm: string;
  readonly inputs: readonly [query: string, key: string, value: string];
  readonly output: string;
}

/** The linear modules of an MLP. */
export interface MlpNames {
  /** [gate, up] or one module for both where gated; [up] where plain. */
  readonly mlpInputs: readonly string[];
  readonly mlpOutput: string;
}

/** Module paths as Hugging Face names them. Those of a layer are relative to `${layers}.${index}`. */
export interface ModuleNames extends MlpNames {
  /** What files of the model without its head leave out: "model.". */
  readonly prefix: string;
  readonly embedding: string;
  readonly positions?: string;
  /** A norm of the embeddings, positions included. */
  readonly embeddingNorm?: string;
  /** The table of relative positions, in the first layer. */
  readonly relativePositions?: string;
  /** Between an embedding of another width and the layers, and back before the head; with `embeddingSize`. */
  readonly projectIn?: string;
  readonly projectOut?: string;
  readonly layers: string;
  readonly finalNorm: string;
  readonly head: string;
  readonly attentionNorm: string;
  /** After attention and before the residual sum. */
  readonly attentionPostNorm?: string;
  /** The attention's own where both halves read one norm. */
  readonly mlpNorm: string;
  readonly mlpPostNorm?: string;
  /** [query, key, value], or one module for all three. */
  readonly attentionInputs: readonly [string, string, string] | readonly [string];
  readonly queryNorm?: string;
  readonly keyNorm?: string;
  readonly attentionOutput: string;
  /** Where there is an encoder. */
  readonly crossAttention?: CrossAttentionNames;
}

export interface Architecture {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  /** Width of the embedding and of the head's input where it is another than the layers'. */
  readonly embeddingSize?: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  /** Of a layer's one MLP. */
  readonly intermediateSize: number;
  readonly maxPositions: number;
  readonly layers: readonly LayerPlan[];
  readonly ropes: readonly RopePlan[];
  /** Row of the position table for position 0; undefined for rotary positions. */
  readonly positionOffset: number | undefined;
  readonly norm: NormPlan;
  /**
   * Where the two halves of a layer, attention and MLP, have their norms: "before" them; "around" them, before
   * and after; "parallel", before both, which read the same input; "after" the residual sum; "inside" it, after each
   * half and before its sum.
   */
  readonly block: "pre-norm" | "pre-and-post-norm" | "parallel" | "post-norm" | "inside-norm";
  readonly finalNorm: boolean;
  /** Query and key are normalized before they are turned: each head by itself, or all heads together. */
  readonly queryKeyNorm: "by-head" | "whole" | undefined;
  /** How one module holds query, key and value: one after the other, or for each head the three. */
  readonly fusedAttentionInputs: "stacked" | "by-head" | undefined;
  readonly gated: boolean;
  /** Weights are [in, out] (GPT-2's Conv1D) instead of [out, in]. */
  readonly transposed: boolean;
  readonly biases: {
    readonly attentionInputs: boolean;
    readonly attentionOutput: boolean;
    readonly mlp: boolean;
  };
  readonly activation: Activation;
  /** cap · tanh(x / cap) for the scores of attention. */
  readonly attentionSoftcap: number | undefined;
  /** The same for logits. */
  readonly logitSoftcap: number | undefined;
  readonly embeddingScale: number;
  /** A factor for what each half of a layer adds to the residual stream. */
  readonly residualScale: number;
  /** A factor for the last hidden states, and so for logits before they are capped. */
  readonly hiddenScale: number;
  /** The head's weight is the embedding's. */
  readonly tied: boolean;
  /** Undefined where positions are learned one by one, or turn queries and keys. */
  readonly relativePositions?: RelativePositions;
  /** Whether tokens see those behind them too. */
  readonly bidirectional?: boolean;
  readonly encoder?: EncoderPlan;
  /** As the config has them; a forward drops nothing unless it is told to. */
  readonly dropout: DropoutRates;
  readonly names: ModuleNames;
}
