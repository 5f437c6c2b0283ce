// GGUF files of the tiny random models, by llama.cpp's arrangement written out plainly: names by rules on Hugging Face's,
// rows of LLaMA's queries and keys in neighboring pairs, Gemma's norms with 1 added, GPT-2's matrices transposed.
import { blockTypeNamed } from "../src/models/gguf/format/block-types.ts";
import {
  float32,
  type Typed,
  text,
  uint32,
  type WrittenTensor,
  writeGguf,
} from "../src/models/gguf/format/write.ts";
import { fillWeights, type TinyGolden } from "./tiny-models.ts";

/** Hugging Face's names → llama.cpp's, the first rule that fits. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/^model\.embed_tokens|^transformer\.wte/, "token_embd"],
  [/^transformer\.wpe/, "position_embd"],
  [/^lm_head/, "output"],
  [/^model\.norm|^transformer\.ln_f/, "output_norm"],
  [/^model\.layers\.|^transformer\.h\./, "blk."],
  [/input_layernorm|ln_1/, "attn_norm"],
  [/pre_feedforward_layernorm|ln_2/, "ffn_norm"],
  [/post_feedforward_layernorm/, "post_ffw_norm"],
  [/self_attn\.q_norm/, "attn_q_norm"],
  [/self_attn\.k_norm/, "attn_k_norm"],
  [/self_attn\.qkv_proj|attn\.c_attn/, "attn_qkv"],
  [/self_attn\.([qkv])_proj/, "attn_$1"],
  [/self_attn\.o_proj|attn\.c_proj/, "attn_output"],
  [/mlp\.gate_up_proj|mlp\.up_proj|mlp\.c_fc/, "ffn_up"],
  [/mlp\.gate_proj/, "ffn_gate"],
  [/mlp\.down_proj|mlp\.c_proj/, "ffn_down"],
];

function ggufName(name: string, family: string): string {
  const post = family.startsWith("gemma") ? "post_attention_norm" : "ffn_norm";
  return RULES.reduce(
    (given, [pattern, to]) => given.replace(pattern, to),
    name.replace("post_attention_layernorm", post),
  );
}

type Config = Record<string, never> & Record<string, number>;

/** Rows of a head [first half, second half] → [first of each, second of each] by turns. */
function paired(values: Float32Array, rows: number, heads: number): Float32Array {
  const columns = values.length / rows;
  const half = rows / heads / 2;
  const out = new Float32Array(values.length);
  for (let head = 0; head < heads; head++)
    for (let pair = 0; pair < half; pair++)
      for (const side of [0, 1]) {
        const from = (head * 2 * half + side * half + pair) * columns;
        out.set(values.subarray(from, from + columns), (head * 2 * half + 2 * pair + side) * columns);
      }
  return out;
}

function transposed(values: Float32Array, [rows, columns]: readonly number[]): Float32Array {
  return Float32Array.from(values, (_, i) => values[(i % rows!) * columns! + Math.floor(i / rows!)]!);
}

function arranged(
  name: string,
  shape: readonly number[],
  family: string,
  config: Config,
): Omit<WrittenTensor, "name" | "type"> {
  const values = fillWeights(name, shape);
  let [written, writtenShape] = [values, shape];
  if (["llama", "mistral"].includes(family) && /self_attn\.[qk]_proj/.test(name)) {
    const heads = name.includes(".q_proj") ? config.num_attention_heads! : config.num_key_value_heads!;
    written = paired(values, shape[0]!, heads);
  }
  if (family.startsWith("gemma") && /norm/.test(name)) written = values.map((value) => value + 1);
  if (family === "gpt2" && shape.length === 2 && /attn\.|mlp\./.test(name)) {
    written = transposed(values, shape);
    writtenShape = [...shape].reverse();
  }
  return { shape: writtenShape, write: (put) => put(new Uint8Array(written.buffer)) };
}

const ARCHITECTURES: Readonly<Record<string, string>> = { mistral: "llama", gemma3_text: "gemma3" };

/** What a file says of a config, so far as the tiny models need it. */
function metadataOf(config: Config, family: string): Map<string, Typed> {
  const name = ARCHITECTURES[family] ?? family;
  const entries: [string, Typed][] = [["general.architecture", text(name)]];
  const add = (
    key: string,
    value: number | undefined | null,
    of: (value: number) => Typed = uint32,
  ): void => {
    if (value !== undefined && value !== null) entries.push([`${name}.${key}`, of(value)]);
  };
  const rope = config.rope_parameters as unknown as
    | Record<string, number & Record<string, number>>
    | undefined;
  add("embedding_length", config.hidden_size ?? config.n_embd);
  add("feed_forward_length", config.intermediate_size ?? config.n_inner ?? 4 * config.n_embd!);
  add("block_count", config.num_hidden_layers ?? config.n_layer);
  add("context_length", config.max_position_embeddings ?? config.n_positions);
  add("attention.head_count", config.num_attention_heads ?? config.n_head);
  add("attention.head_count_kv", config.num_key_value_heads);
  add("attention.layer_norm_rms_epsilon", config.rms_norm_eps, float32);
  add("attention.layer_norm_epsilon", config.layer_norm_epsilon, float32);
  add("attention.key_length", config.head_dim);
  add("attention.value_length", config.head_dim);
  const full = (config.layer_types as unknown as string[] | undefined)?.indexOf("full_attention") ?? -1;
  if (family === "gemma3_text" && full >= 0) add("attention.sliding_window_pattern", full + 1);
  if (/mistral|gemma|phi3/.test(family)) add("attention.sliding_window", config.sliding_window);
  add("attn_logit_softcapping", config.attn_logit_softcapping, float32);
  add("final_logit_softcapping", config.final_logit_softcapping, float32);
  add("rope.freq_base", rope?.full_attention?.rope_theta ?? rope?.rope_theta, float32);
  const scaled = rope?.full_attention ?? rope;
  if (scaled?.rope_type === ("linear" as never)) {
    entries.push([`${name}.rope.scaling.type`, text("linear")]);
    add("rope.scaling.factor", scaled?.factor as number, float32);
  }
  if (rope?.rope_type === ("yarn" as never)) {
    entries.push([`${name}.rope.scaling.type`, text("yarn")]);
    add("rope.scaling.factor", rope.factor, float32);
    add("rope.scaling.original_context_length", rope.original_max_position_embeddings);
  }
  entries.push(["general.file_type", uint32(0)]);
  return new Map(entries);
}

/** Writes a tiny model's file, in float32. */
export function writeTinyGguf(
  golden: TinyGolden,
  path: string,
  more: ReadonlyMap<string, Typed> = new Map(),
): void {
  const config = golden.config as Config;
  const family = String(golden.config.model_type);
  const tensors = Object.entries(golden.weights).map(
    ([name, shape]): WrittenTensor => ({
      name: ggufName(name, family),
      type: blockTypeNamed("F32"),
      ...arranged(name, shape, family, config),
    }),
  );
  writeGguf(path, new Map([...metadataOf(config, family), ...more]), tensors);
}
