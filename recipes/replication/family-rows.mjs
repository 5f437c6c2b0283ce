// Writes what families.yaml compares: `node family-rows.mjs ALPACA_JSON ALPAGASUS_JSON TOKENIZER_JSON OUTPUT_FOLDER`.
// ALPACA_JSON and ALPAGASUS_JSON have rows of instruction, input and output, as Stanford's alpaca_data.json and the rows that
// AlpaGasus chose of it; TOKENIZER_JSON is a byte-level BPE, as GPT-2's. The output holds a folder for each family, of about
// as many parameters each, without weights; texts to pretrain all of them on; and rows to fine-tune on and to measure,
// which no pretraining has seen.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fractions, spaced } from "./row-parts.mjs";

/** Texts to pretrain on: some 3 M tokens. */
const TEXTS = 30_000;
/** Rows to fine-tune on: three epochs are 45 steps. */
const ROWS = 240;
/** Rows whose loss is measured. */
const HELD_OUT = 240;
/** Characters of a row that leave room for a template in 256 tokens. */
const MOST_CHARACTERS = 700;
/** Tokens in all: enough for English, and few beside the layers of a model this small. */
const VOCABULARY = 4096;
/** Marks of spans that T5 restores. */
const SENTINELS = 100;

const [alpaca, alpagasus, tokenizerFile, output] = process.argv.slice(2);
if (output === undefined)
  throw new Error("node family-rows.mjs ALPACA_JSON ALPAGASUS_JSON TOKENIZER_JSON OUTPUT_FOLDER");

function read(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

function write(name, value) {
  writeFileSync(join(output, name), `${JSON.stringify(value)}\n`);
}

/** The first tokens of a byte-level BPE are a byte-level BPE: merges only use tokens that came before them. */
function smallTokenizer() {
  const large = read(tokenizerFile);
  const special = [
    ...["<s>", "</s>", "<pad>"],
    ...Array.from({ length: SENTINELS }, (_, i) => `<extra_id_${i}>`),
  ];
  const size = VOCABULARY - special.length;
  const bytes = Object.keys(large.model.vocab).length - large.added_tokens.length - large.model.merges.length;
  const vocab = Object.fromEntries(Object.entries(large.model.vocab).filter(([, id]) => id < size));
  if (large.model.type !== "BPE" || bytes !== 256 || Object.keys(vocab).length !== size)
    throw new Error(`${tokenizerFile} is no byte-level BPE whose ids follow its merges`);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  const begin = { SpecialToken: { id: "<s>", type_id: 0 } };
  const text = { Sequence: { id: "A", type_id: 0 } };
  return {
    ...large,
    added_tokens: special.map((content, i) => ({ id: size + i, content, ...flags })),
    post_processor: {
      type: "TemplateProcessing",
      single: [begin, text],
      pair: [begin, text, { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: { "<s>": { id: "<s>", ids: [size], tokens: ["<s>"] } },
    },
    model: { ...large.model, vocab, merges: large.model.merges.slice(0, size - bytes) },
  };
}

const tokenizer = smallTokenizer();
const [begin, end, padding] = tokenizer.added_tokens.map(({ id }) => id);
const shared = {
  vocab_size: VOCABULARY,
  bos_token_id: begin,
  eos_token_id: end,
  pad_token_id: padding,
  tie_word_embeddings: true,
  dtype: "float32",
};
const decoder = {
  hidden_size: 128,
  num_hidden_layers: 6,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  max_position_embeddings: 256,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  initializer_range: 0.02,
  ...shared,
};

/** Decoders of six layers; encoders of three before decoders of two, whose layers attend twice. */
const FAMILIES = {
  llama: {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    intermediate_size: 344,
    ...decoder,
  },
  gpt2: {
    model_type: "gpt2",
    architectures: ["GPT2LMHeadModel"],
    ...{ n_embd: 128, n_layer: 6, n_head: 4, n_positions: 256, n_inner: 512 },
    ...{ activation_function: "gelu_new", embd_pdrop: 0, attn_pdrop: 0, resid_pdrop: 0 },
    ...shared,
  },
  "qwen3-moe": {
    model_type: "qwen3_moe",
    architectures: ["Qwen3MoeForCausalLM"],
    ...{ head_dim: 32, num_experts: 4, num_experts_per_tok: 2, norm_topk_prob: true },
    ...{ moe_intermediate_size: 86, intermediate_size: 344, decoder_sparse_step: 1, mlp_only_layers: [] },
    ...decoder,
  },
  t5: {
    model_type: "t5",
    architectures: ["T5ForConditionalGeneration"],
    ...{ d_model: 128, d_kv: 32, d_ff: 376, num_heads: 4, num_layers: 3, num_decoder_layers: 2 },
    ...{ feed_forward_proj: "gated-gelu", dropout_rate: 0, decoder_start_token_id: padding },
    ...shared,
  },
  bart: {
    model_type: "bart",
    architectures: ["BartForConditionalGeneration"],
    // One position more, for the end of what the encoder reads.
    ...{ d_model: 128, max_position_embeddings: 257, dropout: 0, activation_function: "gelu" },
    ...{ encoder_layers: 3, encoder_attention_heads: 4, encoder_ffn_dim: 512 },
    ...{ decoder_layers: 2, decoder_attention_heads: 4, decoder_ffn_dim: 512 },
    ...{ is_encoder_decoder: true, decoder_start_token_id: end },
    ...shared,
  },
};

for (const [name, config] of Object.entries(FAMILIES)) {
  mkdirSync(join(output, name), { recursive: true });
  write(`${name}/config.json`, config);
  write(`${name}/tokenizer.json`, tokenizer);
  write(`${name}/tokenizer_config.json`, {
    tokenizer_class: "PreTrainedTokenizerFast",
    ...{ bos_token: "<s>", eos_token: "</s>", pad_token: "<pad>" },
    model_max_length: 256,
  });
}

function textOf({ instruction, input = "", output: answer }) {
  return [instruction, input, answer].filter((part) => part.trim() !== "").join("\n");
}

const fraction = fractions();

/** Cut before a word of its middle third: where a model has an encoder, it reads what comes before. */
function cut(text) {
  const words = [...text.matchAll(/\s+/g)];
  const { index, 0: space } = words[Math.floor(((1 + fraction()) / 3) * words.length)];
  return { prompt: text.slice(0, index), completion: text.slice(index + space.length) };
}

const chosen = read(alpagasus);
const known = new Set(chosen.map(({ instruction }) => instruction));
const candidates = read(alpaca)
  .filter(({ instruction, output: answer }) => answer.trim() !== "" && !known.has(instruction))
  .map(textOf)
  .filter((text) => (text.match(/\s+/g) ?? []).length >= 5);
const texts = spaced(candidates, TEXTS);
write("pretraining.json", texts.map(cut));

/** What was asked, after what was answered: short completions to long prompts. */
function asked({ instruction, output: answer }) {
  return { prompt: answer, completion: instruction };
}
const once = [...new Map(chosen.map((row) => [row.instruction, row])).values()].filter(
  (row) => row.output.trim() !== "" && (row.input ?? "") === "" && textOf(row).length <= MOST_CHARACTERS,
);
const rows = spaced(once, ROWS + HELD_OUT).map(asked);
const heldOut = new Set(spaced(rows, HELD_OUT));
write(
  "training.json",
  rows.filter((row) => !heldOut.has(row)),
);
write("held-out.json", [...heldOut]);
console.log(`${texts.length} texts to pretrain on, ${once.length} rows to choose from`);
