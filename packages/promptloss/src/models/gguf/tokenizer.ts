// The tokenizer in a GGUF file's metadata → the files that Hugging Face's tools read. Two kinds: "llama", sentencepiece's
// pieces with scores, and "gpt2", byte-level pieces with merges and a kind of words.
import {
  type AddedToken,
  mergesOf,
  pieceDecoder,
  pieceModel,
  tokenizerJson,
} from "../../data/tokenizer/tokenizer-json.ts";
import type { Metadata } from "./fields.ts";
import { WORD_KINDS } from "./word-kinds.ts";

export interface TokenizerFiles {
  readonly tokenizer: object;
  readonly config: object;
  readonly generation: object;
  readonly chatTemplate: string | undefined;
  /** Ids for config.json. */
  readonly ids: { readonly bos: number | undefined; readonly eos: number | undefined };
  readonly notes: readonly string[];
}

/** ggml's kinds of tokens. */
export const KINDS = { normal: 1, unknown: 2, control: 3, user: 4, unused: 5, byte: 6 } as const;

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly kinds: ArrayLike<number> | undefined;
  readonly ids: ReadonlyMap<string, number>;
  readonly added: readonly AddedToken[];
}

/** Undefined where the file has no tokenizer. @throws {GgufError} for a tokenizer that is malformed or not supported */
export function readTokenizer(
  metadata: Metadata,
  rows: number,
  { mergesByOrder }: { mergesByOrder: boolean },
): TokenizerFiles | undefined {
  const kind = metadata.text("tokenizer.ggml.model");
  if (kind === undefined || kind === "none" || kind === "no_vocab") return undefined;
  if (kind !== "llama" && kind !== "gpt2")
    throw metadata.error(
      "tokenizer.ggml.model",
      `${JSON.stringify(kind)} is not supported; supported are llama and gpt2`,
    );
  const vocabulary = readVocabulary(metadata, rows);
  const { tokens } = vocabulary;
  const id = (name: string): number | undefined =>
    metadata.id(`tokenizer.ggml.${name}_token_id`, tokens.length);
  const [bos, eos, pad, unk] = [id("bos"), id("eos"), id("padding"), id("unknown")];
  const token = (of: number | undefined, wanted: boolean): AddedToken | undefined =>
    of === undefined || !wanted ? undefined : { id: of, content: tokens[of]!, special: true };
  const isPieces = kind === "llama";
  const around = {
    bos: token(bos, metadata.boolean("tokenizer.ggml.add_bos_token", isPieces)),
    eos: token(eos, metadata.boolean("tokenizer.ggml.add_eos_token", false)),
  };
  const notes: string[] = [];
  const added = withSpecial(vocabulary, [bos, eos, pad, unk]);
  const tokenizer = isPieces
    ? pieces(metadata, { ...vocabulary, added }, around, mergesByOrder)
    : byteLevel(metadata, { ...vocabulary, added }, around, notes);
  const text = (of: number | undefined): string | undefined => (of === undefined ? undefined : tokens[of]);
  const stops = [eos, id("eot"), id("eom")].filter((each) => each !== undefined);
  const chatTemplate = metadata.text("tokenizer.chat_template");
  return {
    tokenizer,
    config: {
      tokenizer_class: "PreTrainedTokenizerFast",
      ...defined({ bos_token: text(bos), eos_token: text(eos), unk_token: text(unk), pad_token: text(pad) }),
      add_bos_token: around.bos !== undefined,
      add_eos_token: around.eos !== undefined,
      clean_up_tokenization_spaces: false,
    },
    generation: defined({
      bos_token_id: bos,
      eos_token_id: stops.length > 1 ? [...new Set(stops)] : stops[0],
      pad_token_id: pad,
    }),
    chatTemplate,
    ids: { bos, eos },
    notes,
  };
}

function defined(values: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function readVocabulary(metadata: Metadata, rows: number): Vocabulary {
  const tokens = metadata.texts("tokenizer.ggml.tokens");
  if (tokens === undefined) throw metadata.error("tokenizer.ggml.tokens", "is missing");
  if (tokens.length > rows)
    throw metadata.error("tokenizer.ggml.tokens", `has ${tokens.length} tokens, the embedding ${rows}`);
  const kinds = metadata.numbers("tokenizer.ggml.token_type", tokens.length);
  const ids = new Map<string, number>();
  tokens.forEach((text, id) => {
    if (ids.has(text))
      throw metadata.error(
        "tokenizer.ggml.tokens",
        `${JSON.stringify(text)} is token ${ids.get(text)} and ${id}`,
      );
    ids.set(text, id);
  });
  const added = tokens.flatMap((content, id): AddedToken[] => {
    const kind = kinds?.[id] ?? KINDS.normal;
    const special = kind === KINDS.control || kind === KINDS.unknown;
    return (special || kind === KINDS.user) && content !== "" ? [{ id, content, special }] : [];
  });
  return { tokens, kinds, ids, added };
}

/** The special tokens split a text, though the file calls them normal ones. */
function withSpecial({ tokens, added }: Vocabulary, ids: readonly (number | undefined)[]): AddedToken[] {
  const all = new Map(added.map((token) => [token.id, token]));
  for (const id of ids)
    if (id !== undefined && tokens[id] !== "") all.set(id, { id, content: tokens[id]!, special: true });
  return [...all.values()].sort((a, b) => a.id - b.id);
}

type Around = Pick<Parameters<typeof tokenizerJson>[0], "bos" | "eos">;

function pieces(
  metadata: Metadata,
  { tokens, kinds, ids, added }: Vocabulary,
  around: Around,
  mergesByOrder: boolean,
): object {
  const scores = metadata.numbers("tokenizer.ggml.scores", tokens.length);
  if (scores === undefined) throw metadata.error("tokenizer.ggml.scores", "is missing");
  const prefix = metadata.boolean("tokenizer.ggml.add_space_prefix", true);
  // Several spaces are one piece: the file has them as spaces, a text that is merged as ▁.
  const spelled = (text: string): string => (isSpaces(text) ? "▁".repeat(text.length) : text);
  const vocab = new Map([...ids].map(([text, id]) => [spelled(text), id]));
  if (vocab.size !== ids.size)
    throw metadata.error("tokenizer.ggml.tokens", "has spaces twice, as such and as ▁");
  const made = tokens.flatMap((text, id) => {
    const merges = (kinds?.[id] ?? KINDS.normal) === KINDS.normal || isSpaces(text);
    return merges ? [{ text: spelled(text), score: mergesByOrder ? -id : scores[id]!, id }] : [];
  });
  // A space before every stretch of text between special tokens, as llama.cpp puts it.
  const spaces = { type: "Replace", pattern: { String: " " }, content: "▁" };
  return tokenizerJson({
    ...{ added: added.filter(({ content }) => !isSpaces(content)), ...around },
    normalizer: prefix
      ? { type: "Sequence", normalizers: [{ type: "Prepend", prepend: "▁" }, spaces] }
      : spaces,
    preTokenizer: null,
    decoder: pieceDecoder(prefix),
    model: pieceModel(vocab, mergesOf(made, vocab)),
  });
}

function isSpaces(text: string): boolean {
  return /^ +$/.test(text);
}

function byteLevel(metadata: Metadata, { ids, added }: Vocabulary, around: Around, notes: string[]): object {
  const named = metadata.text("tokenizer.ggml.pre");
  if (named === undefined || named === "default")
    notes.push(`${metadata.path}: does not say how its tokenizer parts words; GPT-2's way is taken`);
  const kind = named === undefined || named === "default" ? "gpt-2" : named;
  const words = WORD_KINDS.find(({ names }) => names.includes(kind));
  if (words === undefined)
    throw metadata.error(
      "tokenizer.ggml.pre",
      `${JSON.stringify(kind)} is a way of parting words that is not known here`,
      "give the tokenizer's own folder: import, then copy the original tokenizer.json into the folder",
    );
  const lines = metadata.texts("tokenizer.ggml.merges");
  if (lines === undefined) throw metadata.error("tokenizer.ggml.merges", "is missing");
  const merges = lines.map((line, i): [string, string] => {
    // A space within a part is written by another character; the one that parts them is the first after the first.
    const at = line.indexOf(" ", 1);
    const [left, right] = [line.slice(0, at), line.slice(at + 1)];
    if (at < 0 || !ids.has(left) || !ids.has(right) || !ids.has(left + right))
      throw metadata.error(
        "tokenizer.ggml.merges",
        `merge ${i + 1}, ${JSON.stringify(line)}, is of no tokens`,
      );
    return [left, right];
  });
  return tokenizerJson({
    ...{ added, ...around },
    normalizer: words.normalizer,
    preTokenizer: words.preTokenizer,
    decoder: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      ...{ type: "BPE", dropout: null, unk_token: null },
      ...{ continuing_subword_prefix: "", end_of_word_suffix: "" },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: words.ignoreMerges },
      vocab: Object.fromEntries(ids),
      merges,
    },
  });
}
