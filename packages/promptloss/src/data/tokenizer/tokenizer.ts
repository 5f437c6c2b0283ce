// A Hugging Face tokenizer folder as the data path needs it: ids with UTF-16 offsets, in batches off the main
// thread, special tokens, and encoding in continuation of other text. The encoding itself is Hugging Face's
// own library; templates and classes are elsewhere.
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import type { Encoding, Tokenizer as NativeTokenizer } from "tokenizers";
import { type Continuation, encodeContinuations } from "./continuation.ts";
import { EncodedText } from "./encoded-text.ts";
import { TokenizerError } from "./errors.ts";
import { readTokenizerFolder, type SpecialTokens, type TokenizerFolder } from "./folder.ts";
import { tokenBytes, type VocabularyKind } from "./token-bytes.ts";
import { WordCounter } from "./word-counter.ts";

/** Texts and characters in one call to the library: enough to keep its threads busy, few enough for flat memory. */
export const ENCODING_BATCH = { texts: 1024, characters: 2 ** 19 } as const;

/** What the library holds for a token of an encoding: text, id, offsets, word, masks. Estimated, in bytes. */
const BYTES_PER_TOKEN = 160;

/**
 * The garbage collector does not know what the library holds and would let gigabytes pile up. This, never touched and
 * as long-lived as the encodings, tells it.
 */
function weightOf(lengths: Int32Array): ArrayBuffer {
  return new ArrayBuffer(BYTES_PER_TOKEN * sum(lengths));
}

function sum(lengths: Int32Array): number {
  return lengths.reduce((total, length) => total + length, 0);
}

/** Tokens in a batch above which encodings that are only counted are worth a collection. */
const LARGE = 100 * ENCODING_BATCH.texts;

interface EncodedBatch {
  /** The first text's place. */
  readonly start: number;
  readonly encodings: readonly Encoding[];
  /** Tokens of each. */
  readonly lengths: Int32Array;
}

/** A loaded tokenizer. Get one from {@link loadTokenizer}. */
export class Tokenizer {
  readonly path: string;
  readonly special: SpecialTokens;
  /** Ids that end a generation: the tokenizer's EOS and those of the generation config. */
  readonly stopIds: ReadonlySet<number>;
  readonly specialIds: ReadonlySet<number>;
  /** What the tokenizer puts before every text at inference: [BOS], or nothing. */
  readonly prefixIds: Int32Array;
  /** The Jinja source of the model's own chat template. */
  readonly chatTemplate: string | undefined;
  /** Where there are several and none is the default: their names. */
  readonly chatTemplateNames: readonly string[];
  readonly modelMaxLength: number | undefined;
  /** Number of ids, added tokens included. */
  readonly vocabularySize: number;
  /** SHA-256, in hex, of all that decides ids: tokenizer.json, special tokens, what BOS rule holds. */
  readonly hash: string;
  /** Special tokens as they stand in a text. */
  readonly specialTexts: readonly string[];
  /** Ids of added tokens that split a text before anything else is done with it. */
  readonly isolatedIds: ReadonlySet<number>;
  readonly #native: NativeTokenizer;
  readonly #kind: VocabularyKind;
  readonly #words: WordCounter | undefined;

  private constructor(folder: TokenizerFolder, native: NativeTokenizer, prefixIds: Int32Array) {
    this.path = folder.path;
    this.special = Object.freeze({ ...folder.special });
    this.chatTemplate = folder.chatTemplate;
    this.chatTemplateNames = folder.chatTemplateNames;
    this.modelMaxLength = folder.modelMaxLength;
    this.prefixIds = prefixIds;
    this.#native = native;
    this.#kind = folder.kind;
    if (folder.words !== undefined)
      this.#words = new WordCounter(folder.words, {
        encodeIds: (texts) => this.encodeIds(texts),
        countBatch: (texts) => this.#countWhole(texts),
      });
    this.vocabularySize = native.getVocabSize(true);
    this.specialIds = new Set(folder.addedTokens.filter((token) => token.special).map((token) => token.id));
    const added = folder.addedTokens.filter((token) => token.content !== "");
    this.isolatedIds = new Set(added.filter((token) => !token.normalized).map((token) => token.id));
    this.specialTexts = added.filter((token) => token.special).map((token) => token.content);
    const eos = folder.special.eos === undefined ? undefined : this.idOf(folder.special.eos);
    this.stopIds = new Set([...(eos === undefined ? [] : [eos]), ...folder.generationStopIds]);
    this.hash = createHash("sha256")
      .update(folder.json)
      .update(JSON.stringify([folder.special, [...prefixIds], [...this.stopIds]]))
      .digest("hex");
  }

  /** @internal Use {@link loadTokenizer}. */
  static async fromFolder(folder: TokenizerFolder): Promise<Tokenizer> {
    const native = nativeTokenizer(folder);
    // A truncation or padding saved in tokenizer.json would cut rows without a word.
    native.disableTruncation();
    native.disablePadding();
    checkBelongsTogether(folder, native);
    return new Tokenizer(folder, native, await findPrefixIds(native));
  }

  /** The id of a token as the vocabulary writes it; undefined for a string that is no token. */
  idOf(token: string): number | undefined {
    return this.#native.tokenToId(token) ?? undefined;
  }

  /** The id of BOS; undefined for a tokenizer without one. */
  get bosId(): number | undefined {
    return this.special.bos === undefined ? undefined : this.idOf(this.special.bos);
  }

  /** The token of an id as the vocabulary writes it (`Ġthe`, `▁the`); undefined for an id out of range. */
  tokenOf(id: number): string | undefined {
    return this.#native.idToToken(id) ?? undefined;
  }

  /** The bytes that one id stands for, for display. Special tokens give their text. */
  bytesOf(id: number): Uint8Array {
    const token = this.tokenOf(id) ?? "";
    return tokenBytes(token, this.specialIds.has(id) ? "text" : this.#kind);
  }

  /** Encodes one text, without special tokens around it. */
  async encode(text: string): Promise<EncodedText> {
    const [encoded] = await this.encodeBatch([text]);
    return encoded!;
  }

  /** Encodes many texts, in the order given, without special tokens around them. */
  async encodeBatch(texts: readonly string[]): Promise<EncodedText[]> {
    const results: EncodedText[] = [];
    for await (const { start, encodings, lengths } of this.#batches(texts)) {
      const weight = weightOf(lengths);
      encodings.forEach((encoding, i) => {
        results.push(new EncodedText(texts[start + i]!, encoding, weight));
      });
    }
    return results;
  }

  /** The ids of a text with what the tokenizer puts before it at inference, BOS most often. */
  async encodeWithPrefix(text: string): Promise<Int32Array> {
    const { ids } = await this.encode(text);
    const all = new Int32Array(this.prefixIds.length + ids.length);
    all.set(this.prefixIds);
    all.set(ids, this.prefixIds.length);
    return all;
  }

  /** The ids alone of many texts, without special tokens; cheaper than {@link encodeBatch}. */
  async encodeIds(texts: readonly string[]): Promise<Int32Array[]> {
    const results: Int32Array[] = [];
    for await (const { encodings, lengths } of this.#batches(texts)) {
      weightOf(lengths);
      for (const encoding of encodings) results.push(Int32Array.from(encoding.getIds()));
    }
    return results;
  }

  /** The number of tokens of each text, special tokens left out; by far the cheapest of the three. */
  async countBatch(texts: readonly string[]): Promise<Int32Array> {
    return this.#words === undefined ? this.#countWhole(texts) : this.#words.countBatch(texts);
  }

  async #countWhole(texts: readonly string[]): Promise<Int32Array> {
    const counts = new Int32Array(texts.length);
    for await (const { start, lengths } of this.#batches(texts)) {
      counts.set(lengths, start);
      // Collections cost a sixth of encoding short texts, whose encodings go with V8's own.
      if (sum(lengths) > LARGE) weightOf(lengths);
    }
    return counts;
  }

  /**
   * Encodes texts as they would be in continuation of other text: without BOS and without the space that
   * sentencepiece tokenizers put before a text.
   */
  async encodeContinuationBatch(texts: readonly string[]): Promise<Continuation[]> {
    return encodeContinuations(texts, (batch) => this.encodeBatch(batch));
  }

  /** The text of ids. Special tokens are kept unless `skipSpecialTokens`. */
  async decode(ids: ArrayLike<number>, options: { skipSpecialTokens?: boolean } = {}): Promise<string> {
    return this.#native.decode(Array.from(ids), options.skipSpecialTokens ?? false);
  }

  async *#batches(texts: readonly string[]): AsyncGenerator<EncodedBatch> {
    for (let start = 0, end = 0; start < texts.length; start = end) {
      for (let characters = 0; end < texts.length && end - start < ENCODING_BATCH.texts; end++) {
        characters += texts[end]!.length;
        if (characters > ENCODING_BATCH.characters && end > start) break;
      }
      const batch = texts.slice(start, end);
      const encodings = await this.#native.encodeBatch(batch, { addSpecialTokens: false });
      // A loop, as Int32Array.from takes twice the time of the calls themselves.
      const lengths = new Int32Array(encodings.length);
      for (let i = 0; i < lengths.length; i++) lengths[i] = encodings[i]!.getLength();
      yield { start, encodings, lengths };
    }
  }
}

/** @throws {TokenizerError} when the configs name tokens that tokenizer.json does not have in their place */
function checkBelongsTogether(folder: TokenizerFolder, native: NativeTokenizer): void {
  const special = Object.entries(folder.special).map(([name, token]) => ({
    name: `${name}_token`,
    token,
    id: undefined,
  }));
  const declared = folder.declaredTokens.map(({ id, content }) => ({
    name: `token ${id},`,
    token: content,
    id,
  }));
  for (const { name, token, id } of [...special, ...declared]) {
    if (token === undefined) continue;
    const found = native.tokenToId(token);
    if (found !== null && (id === undefined || found === id)) continue;
    const where = found === null ? "is not in the vocabulary" : `is token ${found} in tokenizer.json`;
    throw new TokenizerError(`${folder.path}: ${name} ${JSON.stringify(token)} ${where}`, {
      path: folder.path,
      hint: "tokenizer_config.json and tokenizer.json differ; save the tokenizer again with transformers.",
    });
  }
}

function nativeTokenizer(folder: TokenizerFolder): NativeTokenizer {
  // Here rather than on import: who only reads rows, or a page of help, loads no native code.
  const { Tokenizer: Native } = createRequire(import.meta.url)("tokenizers") as typeof import("tokenizers");
  try {
    return Native.fromString(folder.json);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TokenizerError(`${folder.path}/tokenizer.json: is not a tokenizer (${reason})`, {
      path: folder.path,
      cause,
      hint: "Download the file again, or save the tokenizer with a recent transformers.",
    });
  }
}

/**
 * What goes before a text: the post-processor of tokenizer.json decides. `add_bos_token` of tokenizer_config.json has
 * no say beside it, as in transformers 5 (goldens/transformers-rules.json). An EOS that a post-processor appends is no
 * part of a prompt.
 */
async function findPrefixIds(native: NativeTokenizer): Promise<Int32Array> {
  const bare = (await native.encode("a", null, { addSpecialTokens: false })).getIds();
  const dressed = (await native.encode("a", null, { addSpecialTokens: true })).getIds();
  for (let start = 0; start + bare.length <= dressed.length; start++) {
    if (bare.every((id, i) => dressed[start + i] === id)) return Int32Array.from(dressed.slice(0, start));
  }
  return new Int32Array(0);
}

/**
 * Loads a Hugging Face tokenizer or model folder.
 * @throws {TokenizerError} when files are missing, broken or do not belong together
 * @example
 * ```ts
 * import { loadTokenizer } from "promptloss";
 *
 * const tokenizer = await loadTokenizer("model");
 * const { ids } = await tokenizer.encode("The river is wide.");
 * console.log(ids.length);
 * ```
 */
export async function loadTokenizer(path: string): Promise<Tokenizer> {
  return Tokenizer.fromFolder(await readTokenizerFolder(path));
}
