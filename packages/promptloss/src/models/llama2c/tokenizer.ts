// llama2.c's tokenizer.bin (LLaMA's sentencepiece vocabulary with its scores) as a Hugging Face tokenizer.json: byte
// pair encoding whose merges are the vocabulary's pieces in the order of their scores.
import { TokenizerError } from "../../data/tokenizer/index.ts";
import {
  mergesOf,
  type Piece,
  pieceDecoder,
  pieceModel,
  tokenizerJson,
} from "../../data/tokenizer/tokenizer-json.ts";

const SPECIAL = ["<unk>", "<s>", "</s>"];
const BYTES = 256;

/**
 * @param vocabulary pieces that the model's header asks for
 * @returns what tokenizer.json holds
 * @throws {TokenizerError} where the bytes are no such file, or it is not LLaMA's kind of vocabulary
 */
export function tokenizerOf(bytes: Uint8Array, vocabulary: number, path: string): object {
  const pieces = readPieces(bytes, vocabulary, path);
  const vocab = new Map(pieces.map(({ text }, id) => [text, id]));
  if (vocab.size !== pieces.length) throw malformed(path, "has a piece twice");
  const added = SPECIAL.map((content, id) => ({ id, content, special: true }));
  const made = pieces.map((piece, id) => ({ ...piece, id })).slice(SPECIAL.length + BYTES);
  return tokenizerJson({
    added,
    bos: added[1],
    normalizer: null,
    preTokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false },
    decoder: pieceDecoder(true),
    model: pieceModel(vocab, mergesOf(made, vocab)),
  });
}

function malformed(path: string, what: string): TokenizerError {
  return new TokenizerError(`${path}: ${what}`, {
    path,
    hint: "give the tokenizer.bin that llama2.c exports from LLaMA's tokenizer.model",
  });
}

/** The longest piece's length, then score, length and bytes of each piece. */
function readPieces(bytes: Uint8Array, vocabulary: number, path: string): Piece[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const pieces: Piece[] = [];
  let at = 4;
  while (at < bytes.length) {
    const id = pieces.length;
    const length = at + 8 <= bytes.length ? view.getInt32(at + 4, true) : -1;
    if (length < 0 || at + 8 + length > bytes.length) throw malformed(path, `ends within piece ${id}`);
    const score = view.getFloat32(at, true);
    at += 8;
    let text: string;
    try {
      text = decoder.decode(bytes.subarray(at, at + length));
    } catch {
      throw malformed(path, `piece ${id} is not UTF-8`);
    }
    pieces.push({ text: named(text, id, path), score });
    at += length;
  }
  if (pieces.length !== vocabulary)
    throw malformed(path, `has ${pieces.length} pieces, where the model has ${vocabulary}`);
  return pieces;
}

/** LLaMA's name of a piece: llama2.c writes spaces for ▁, and bytes as themselves or, later, by their names. */
function named(text: string, id: number, path: string): string {
  const expected = SPECIAL[id];
  if (expected !== undefined) {
    if (text.trim() === expected) return expected;
    throw malformed(path, `piece ${id} is ${JSON.stringify(text)}, expected ${expected}`);
  }
  const byte = id - SPECIAL.length;
  if (byte >= BYTES) return text.replaceAll(" ", "▁");
  const name = `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`;
  if (text === name || text === String.fromCharCode(byte)) return name;
  throw malformed(path, `piece ${id} is ${JSON.stringify(text)}, expected the byte ${name}`);
}
