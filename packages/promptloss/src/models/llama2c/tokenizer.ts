// llama2.c's tokenizer.bin (LLaMA's sentencepiece vocabulary with its scores) as a Hugging Face tokenizer.json: byte
// pair encoding whose merges are the vocabulary's pieces in the order of their scores.
import { TokenizerError } from "../../data/tokenizer/index.ts";

interface Piece {
  readonly text: string;
  readonly score: number;
}

const SPECIAL = ["<unk>", "<s>", "</s>"];
const BYTES = 256;

/**
 * @param vocabulary pieces that the model's header asks for
 * @returns what tokenizer.json holds
 * @throws {TokenizerError} where the bytes are no such file, or it is not LLaMA's kind of vocabulary
 */
export function tokenizerOf(bytes: Uint8Array, vocabulary: number, path: string): object {
  const pieces = readPieces(bytes, vocabulary, path);
  const vocab = Object.fromEntries(pieces.map(({ text }, id) => [text, id]));
  if (Object.keys(vocab).length !== pieces.length) throw malformed(path, "has a piece twice");
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: SPECIAL.map((content, id) => ({
      ...{ id, content, special: true, normalized: false },
      ...{ single_word: false, lstrip: false, rstrip: false },
    })),
    normalizer: null,
    pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: false },
    post_processor: {
      type: "TemplateProcessing",
      single: [special("<s>"), sequence("A", 0)],
      pair: [special("<s>"), sequence("A", 0), special("<s>", 1), sequence("B", 1)],
      special_tokens: { "<s>": { id: "<s>", ids: [1], tokens: ["<s>"] } },
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "▁" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null },
      ...{ continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: true, byte_fallback: true, ignore_merges: false },
      vocab,
      merges: mergesOf(pieces, new Map(Object.entries(vocab))),
    },
  };
}

function special(id: string, type = 0): object {
  return { SpecialToken: { id, type_id: type } };
}
function sequence(id: string, type: number): object {
  return { Sequence: { id, type_id: type } };
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

/** Every way to put a piece together from two others; better pieces first, then by the parts' ids. */
function mergesOf(pieces: readonly Piece[], ids: ReadonlyMap<string, number>): [string, string][] {
  return pieces
    .map(({ text, score }, id) => ({ text, score, id }))
    .slice(SPECIAL.length + BYTES)
    .sort((a, b) => b.score - a.score || a.id - b.id)
    .flatMap(({ text }) => splitsOf(text, ids));
}

function splitsOf(text: string, ids: ReadonlyMap<string, number>): [string, string][] {
  const characters = Array.from(text);
  const splits = characters.slice(1).map((_, i): [string, string] => {
    const left = characters.slice(0, i + 1).join("");
    return [left, text.slice(left.length)];
  });
  return splits
    .filter(([left, right]) => ids.has(left) && ids.has(right))
    .sort(([a, b], [c, d]) => ids.get(a)! - ids.get(c)! || ids.get(b)! - ids.get(d)!);
}
