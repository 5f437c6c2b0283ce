// A checkpoint and a tokenizer of llama2.c (github.com/karpathy/llama2.c) → a Hugging Face folder.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type DType, fromTypedArray, noGrad, scope, writeShardedSafetensors } from "@promptloss/torch";
import { replaceFolder } from "../../files/atomic.ts";
import { ModelError } from "../errors.ts";
import { type Llama2cShape, readCheckpoint } from "./checkpoint.ts";
import { tokenizerOf } from "./tokenizer.ts";

export interface ImportLlama2cOptions {
  /** Of the written weights; float32, as the checkpoint's, where left out. */
  readonly dtype?: DType;
}

/** Bytes, or the file that holds them. */
export type BytesOrPath = Uint8Array | string;

/**
 * Writes a folder that `loadModel` and transformers read: config, weights, tokenizer.
 * @param checkpoint model.bin of llama2.c's first version, float32
 * @param tokenizer tokenizer.bin of LLaMA's vocabulary
 * @throws {ModelError} where the checkpoint is malformed
 * @throws {TokenizerError} where the tokenizer is malformed, or of another model
 */
export function importLlama2c(
  checkpoint: BytesOrPath,
  tokenizer: BytesOrPath,
  folder: string,
  { dtype = "float32" }: ImportLlama2cOptions = {},
): void {
  const model = opened(checkpoint, "the checkpoint");
  const { shape, weights } = readCheckpoint(model.bytes, model.path);
  const words = opened(tokenizer, "the tokenizer");
  const tokens = tokenizerOf(words.bytes, shape.vocabulary, words.path);
  replaceFolder(folder, (temporary) => {
    const write = (name: string, value: object): void =>
      writeFileSync(join(temporary, name), `${JSON.stringify(value, undefined, 2)}\n`);
    write("config.json", configOf(shape, dtype));
    write("tokenizer.json", tokens);
    write("tokenizer_config.json", tokenizerConfigOf(shape));
    noGrad(() =>
      scope(() => {
        const tensors = [...weights].map(
          ([name, { shape, values }]) => [name, fromTypedArray(values, shape).to({ dtype })] as const,
        );
        writeShardedSafetensors(temporary, new Map(tensors), { metadata: { format: "pt" } });
      }),
    );
  });
}

function opened(source: BytesOrPath, what: string): { bytes: Uint8Array; path: string } {
  if (typeof source !== "string") return { bytes: source, path: what };
  if (!existsSync(source)) throw new ModelError(`${source}: there is no such file`);
  return { bytes: readFileSync(source), path: source };
}

/** What run.c computes: base 10,000, an epsilon of 1e-5, SiLU. */
function configOf(shape: Llama2cShape, dtype: DType): object {
  return {
    architectures: ["LlamaForCausalLM"],
    model_type: "llama",
    bos_token_id: 1,
    eos_token_id: 2,
    dtype,
    hidden_act: "silu",
    hidden_size: shape.hiddenSize,
    intermediate_size: shape.intermediateSize,
    max_position_embeddings: shape.context,
    num_attention_heads: shape.heads,
    num_hidden_layers: shape.layers,
    num_key_value_heads: shape.keyValueHeads,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: shape.tied,
    vocab_size: shape.vocabulary,
  };
}

function tokenizerConfigOf({ context }: Llama2cShape): object {
  return {
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: "<s>",
    eos_token: "</s>",
    unk_token: "<unk>",
    add_bos_token: true,
    add_eos_token: false,
    model_max_length: context,
    clean_up_tokenization_spaces: false,
  };
}
