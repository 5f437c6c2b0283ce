// The table of families.
import { ENCODER_DECODER } from "./encoder-decoder.ts";
import type { Family } from "./family.ts";
import { GEMMA } from "./gemma.ts";
import { LAYER_NORM } from "./layer-norm.ts";
import { LLAMA_LIKE } from "./llama-like.ts";
import { MIXTURES } from "./mixtures.ts";

export type { Family } from "./family.ts";

export const FAMILIES: readonly Family[] = [
  ...[...LLAMA_LIKE, ...MIXTURES, ...GEMMA],
  ...[...LAYER_NORM, ...ENCODER_DECODER],
];
