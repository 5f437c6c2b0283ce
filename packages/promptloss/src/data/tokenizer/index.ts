// Tokenizers: Hugging Face folders in, ids and offsets out.
export type { Continuation } from "./continuation.ts";
export type { EncodedText } from "./encoded-text.ts";
export { TokenizerError } from "./errors.ts";
export type { AddedTokenEntry, SpecialTokens } from "./folder.ts";
export { ENCODING_BATCH, loadTokenizer, type Tokenizer } from "./tokenizer.ts";
