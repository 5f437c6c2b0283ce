// Tokenizers: Hugging Face folders in, ids and offsets out.
export { TokenizerError } from "./errors.ts";
export type { AddedTokenEntry, SpecialTokens } from "./folder.ts";
export { type EncodedText, type EncodeOptions, loadTokenizer, type Tokenizer } from "./tokenizer.ts";
