// How byte-level tokenizers part a text into words before they merge: llama.cpp names the ways (`tokenizer.ggml.pre`),
// Hugging Face writes them as pre-tokenizers. The patterns are those of the tokenizers that the names stand for.

export interface WordKind {
  /** The first is written; all are read. */
  readonly names: readonly [string, ...string[]];
  readonly normalizer: object | null;
  readonly preTokenizer: object;
  /** A word that is a token is taken whole. */
  readonly ignoreMerges: boolean;
}

function byteLevel(useRegex: boolean): object {
  return { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: useRegex };
}

function split(pattern: string): object {
  return {
    type: "Sequence",
    pretokenizers: [
      { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
      byteLevel(false),
    ],
  };
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const TAIL = " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

/** Words of letters, numbers of so many digits at most, then signs and spaces. */
function lettersAndDigits(digits: string): object {
  return split(`${CONTRACTIONS}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}|${TAIL}`);
}

const DIGIT_BY_DIGIT = {
  type: "Sequence",
  pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel(true)],
};

const UPPER = "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]";
const LOWER = "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]";

export const WORD_KINDS: readonly WordKind[] = [
  {
    names: ["gpt-2", "phi-2", "olmo", "mpt", "jina-es", "jina-de", "gigachat", "roberta-bpe"],
    ...{ normalizer: null, preTokenizer: byteLevel(true), ignoreMerges: false },
  },
  {
    names: ["llama-bpe", "llama3", "llama-v3", "falcon3"],
    ...{ normalizer: null, preTokenizer: lettersAndDigits("{1,3}"), ignoreMerges: true },
  },
  {
    names: ["dbrx", "smaug-bpe"],
    ...{ normalizer: null, preTokenizer: lettersAndDigits("{1,3}"), ignoreMerges: false },
  },
  {
    names: ["qwen2", "deepseek-r1-qwen", "megrez"],
    ...{ normalizer: { type: "NFC" }, preTokenizer: lettersAndDigits(""), ignoreMerges: false },
  },
  {
    names: ["smollm", "starcoder", "refact", "codeshell"],
    ...{ normalizer: null, preTokenizer: DIGIT_BY_DIGIT, ignoreMerges: false },
  },
  {
    names: ["tekken"],
    normalizer: null,
    preTokenizer: split(
      `[^\\r\\n\\p{L}\\p{N}]?${UPPER}*${LOWER}+|[^\\r\\n\\p{L}\\p{N}]?${UPPER}+${LOWER}*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    ),
    ignoreMerges: true,
  },
];
