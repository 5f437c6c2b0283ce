// The bytes that a token of the vocabulary stands for, for display: byte-level alphabets, byte fallback
// (<0xE2>) and sentencepiece's ▁. It shows single tokens; the text of a whole sequence is the decoder's work.

/** How the vocabulary writes bytes: by GPT-2's alphabet of printable characters, or as text with ▁ for space. */
export type VocabularyKind = "byte-level" | "metaspace" | "text";

/**
 * GPT-2's alphabet: printable Latin-1 characters stand for themselves, the other bytes for the characters
 * from U+0100 on, in order.
 */
function alphabet(): Map<string, number> {
  const bytes = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte !== 0xad);
    bytes.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return bytes;
}

const BYTE_OF = alphabet();
const BYTE_FALLBACK = /^<0x([0-9A-F]{2})>$/;
const encoder = new TextEncoder();

/** The bytes of one token as the vocabulary writes it. */
export function tokenBytes(token: string, kind: VocabularyKind): Uint8Array {
  if (kind === "byte-level") {
    const bytes = [...token].map((character) => BYTE_OF.get(character));
    if (bytes.every((byte) => byte !== undefined)) return Uint8Array.from(bytes);
    return encoder.encode(token);
  }
  if (kind === "metaspace") {
    const fallback = BYTE_FALLBACK.exec(token);
    if (fallback !== null) return Uint8Array.of(Number.parseInt(fallback[1]!, 16));
    return encoder.encode(token.replaceAll("▁", " "));
  }
  return encoder.encode(token);
}

/** Finds the kind of vocabulary from the decoder and the pre-tokenizer that tokenizer.json declares. */
export function vocabularyKind(decoder: unknown, preTokenizer: unknown): VocabularyKind {
  const declared = JSON.stringify([decoder, preTokenizer]);
  if (declared.includes('"ByteLevel"')) return "byte-level";
  return declared.includes("Metaspace") || declared.includes("▁") ? "metaspace" : "text";
}
