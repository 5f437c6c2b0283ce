// What transformers does with folders that say a thing twice, or not at all: test/python/transformers_rules.py.
import { readFileSync } from "node:fs";

export interface TransformersRules {
  readonly bos: readonly {
    readonly tokenizer: string;
    readonly add_bos_token: boolean;
    readonly post_processor: boolean;
    readonly text: string;
    readonly ids: readonly number[];
  }[];
  readonly initialization: readonly {
    readonly config: Readonly<Record<string, unknown>>;
    readonly spreads: Readonly<Record<string, number>>;
    /** Of the embedding, all 0. */
    readonly zeroRows: readonly number[];
  }[];
  /** What becomes of a tied model's head by what its file holds. */
  readonly heads: Readonly<
    Record<"different" | "equal" | "alone", { readonly tied: boolean; readonly head: string }>
  >;
  readonly ropes: readonly {
    readonly config: Readonly<Record<string, unknown>>;
    readonly frequencies: readonly number[];
  }[];
}

export function readRules(): TransformersRules {
  return JSON.parse(readFileSync(new URL("./goldens/transformers-rules.json", import.meta.url), "utf8"));
}
