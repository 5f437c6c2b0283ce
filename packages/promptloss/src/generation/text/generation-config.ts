// generation_config.json of a model folder → options where the user gives none. Stop tokens are read with the
// tokenizer. What is not supported and would change the output is noted.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isLfsPointer, LFS_POINTER } from "@promptloss/torch/files";
import { z } from "zod";
import { faultOf } from "../../config-file/index.ts";
import { GenerationError } from "../errors.ts";
import { type GenerateOptions, REPETITION_PENALTY } from "../options.ts";

export type GenerationDefaults = Pick<
  GenerateOptions,
  | "maxNewTokens"
  | "minNewTokens"
  | "temperature"
  | "topK"
  | "topP"
  | "repetitionPenalty"
  | "beams"
  | "lengthPenalty"
  | "earlyStopping"
>;

function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish();
}
const count = optional(z.int().min(0));

const configSchema = z.looseObject({
  do_sample: optional(z.boolean()),
  temperature: optional(z.number().min(0)),
  top_k: count,
  top_p: optional(z.number().gt(0).max(1)),
  repetition_penalty: optional(z.number().min(REPETITION_PENALTY.least).max(REPETITION_PENALTY.most)),
  max_new_tokens: optional(z.int().min(1)),
  min_new_tokens: count,
  num_beams: optional(z.int().min(1)),
  length_penalty: optional(z.number()),
  early_stopping: optional(z.union([z.boolean(), z.literal("never")])),
});

/** Keys that change what is generated, with the values at which they do not. */
const UNSUPPORTED: Readonly<Record<string, readonly unknown[]>> = {
  assistant_early_exit: [],
  bad_words_ids: [],
  begin_suppress_tokens: [],
  constraints: [],
  diversity_penalty: [0],
  dola_layers: [],
  encoder_no_repeat_ngram_size: [0],
  encoder_repetition_penalty: [1],
  epsilon_cutoff: [0],
  eta_cutoff: [0],
  exponential_decay_length_penalty: [],
  force_words_ids: [],
  forced_bos_token_id: [],
  forced_eos_token_id: [],
  guidance_scale: [1],
  max_time: [],
  min_length: [0],
  min_p: [0],
  no_repeat_ngram_size: [0],
  num_beam_groups: [1],
  penalty_alpha: [0],
  renormalize_logits: [false],
  sequence_bias: [],
  stop_strings: [],
  suppress_tokens: [],
  top_h: [],
  typical_p: [1],
  watermarking_config: [],
};

export interface ReadDefaults {
  readonly defaults: GenerationDefaults;
  /** What the file asks for and does not get. */
  readonly notes: readonly string[];
}

/**
 * Reads a folder's defaults; none where it has no such file. Settings of draws hold where the file says do_sample.
 * @throws {GenerationError} for a file that is not JSON or has values out of range
 */
export function readGenerationDefaults(folder: string): ReadDefaults {
  const path = join(folder, "generation_config.json");
  if (!existsSync(path)) return { defaults: {}, notes: [] };
  const text = readFileSync(path, "utf8");
  if (isLfsPointer(text)) throw new GenerationError(path, LFS_POINTER.message, { hint: LFS_POINTER.hint });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new GenerationError(path, `is not JSON: ${(cause as Error).message}`, { cause });
  }
  const fault = faultOf(json, configSchema, "the file");
  if (fault !== undefined) throw new GenerationError(path, fault);
  const config = configSchema.parse(json);
  const beams = config.num_beams ?? 1;
  const sampling = config.do_sample === true && beams === 1;
  const defaults = {
    maxNewTokens: config.max_new_tokens,
    minNewTokens: config.min_new_tokens,
    repetitionPenalty: config.repetition_penalty,
    ...(sampling && {
      temperature: config.temperature ?? 1,
      // transformers draws from the 50 likeliest where the file does not say.
      topK: config.top_k ?? 50,
      topP: config.top_p,
    }),
    ...(beams > 1 && { beams, lengthPenalty: config.length_penalty, earlyStopping: config.early_stopping }),
  };
  const given = Object.entries(defaults).filter(([, value]) => value !== undefined && value !== null);
  const notes = Object.entries(UNSUPPORTED).flatMap(([key, neutral]) => {
    const value = config[key];
    const changes =
      value !== undefined &&
      value !== null &&
      !neutral.includes(value) &&
      !(Array.isArray(value) && value.length === 0);
    return changes ? [`generation_config.json: ${key} is not supported and has no effect`] : [];
  });
  if (config.do_sample === true && beams > 1)
    notes.push("generation_config.json: beams are not drawn; do_sample has no effect beside num_beams");
  return { defaults: Object.fromEntries(given), notes };
}

/** Options over defaults. What the file says of draws and beams gives way where an option chooses another way. */
export function withDefaults(defaults: GenerationDefaults, options: GenerateOptions): GenerateOptions {
  const { temperature, topK, topP, beams, lengthPenalty, earlyStopping, ...rest } = defaults;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const wantsBeams = (options.beams ?? 1) > 1;
  const wantsDraws = (options.temperature ?? 0) > 0 || (options.topK ?? 0) > 0 || (options.topP ?? 1) < 1;
  const wantsGreedy = options.temperature === 0 || options.beams === 1;
  const merged: GenerateOptions = {
    ...rest,
    ...(!wantsBeams && options.temperature !== 0 && { temperature, topK, topP }),
    ...(!wantsDraws && !wantsGreedy && { beams, lengthPenalty, earlyStopping }),
    ...given,
  };
  // Cuts say that tokens are to be drawn.
  const drawn =
    wantsDraws && merged.temperature === undefined && !wantsBeams ? { ...merged, temperature: 1 } : merged;
  return Object.fromEntries(Object.entries(drawn).filter(([, value]) => value !== undefined));
}
