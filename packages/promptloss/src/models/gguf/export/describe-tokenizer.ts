// A Hugging Face tokenizer folder → the tokenizer of a GGUF file: tokens by id, their kinds, scores or merges, and which
// of them begin and end texts.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { TokenizerFolder } from "../../../data/tokenizer/folder.ts";
import type { Tokenizer } from "../../../data/tokenizer/index.ts";
import { GgufError } from "../format/errors.ts";
import { bool, type Typed, text, uint32 } from "../format/write.ts";
import { KINDS } from "../tokenizer.ts";
import { WORD_KINDS } from "../word-kinds.ts";

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

export interface DescribedTokenizer {
  readonly metadata: ReadonlyMap<string, Typed>;
  readonly notes: readonly string[];
}

/**
 * @param rows of the embedding: ids without a token are filled up
 * @throws {GgufError} for a tokenizer that a GGUF file has no words for
 */
export function describeTokenizer(
  folder: Pick<TokenizerFolder, "path" | "addedTokens">,
  tokenizer: Tokenizer,
  rows: number,
): DescribedTokenizer {
  const path = join(folder.path, "tokenizer.json");
  const json = object(JSON.parse(readFileSync(path, "utf8")));
  const model = object(json.model);
  const vocab = new Map(Object.entries(object(model.vocab)) as [string, number][]);
  if (model.type !== "BPE" || vocab.size === 0)
    throw new GgufError(path, `a tokenizer of the kind ${String(model.type)} is not written, only BPE`);
  const isPieces = model.byte_fallback === true;
  const merges = (Array.isArray(model.merges) ? model.merges : []).map((merge: unknown) =>
    typeof merge === "string" ? (merge.split(" ") as [string, string]) : (merge as [string, string]),
  );
  const { tokens, kinds } = tokensOf(folder, tokenizer, vocab, rows, path);
  const notes: string[] = [];
  const metadata = new Map<string, Typed>([
    ["tokenizer.ggml.model", text(isPieces ? "llama" : "gpt2")],
    ["tokenizer.ggml.pre", text(isPieces ? "default" : wordKind(json, path))],
    ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "int32s", value: kinds }],
  ]);
  if (isPieces) {
    metadata.set("tokenizer.ggml.scores", { type: "float32s", value: scoresOf(tokens, merges, notes) });
    metadata.set("tokenizer.ggml.add_space_prefix", bool(prefixes(json)));
  } else
    metadata.set("tokenizer.ggml.merges", { type: "strings", value: merges.map((merge) => merge.join(" ")) });
  addSpecial(metadata, tokenizer, notes);
  if (tokenizer.chatTemplate !== undefined)
    metadata.set("tokenizer.chat_template", text(tokenizer.chatTemplate));
  return { metadata, notes };
}

function tokensOf(
  { addedTokens }: Pick<TokenizerFolder, "addedTokens">,
  tokenizer: Tokenizer,
  vocab: ReadonlyMap<string, number>,
  rows: number,
  path: string,
): { tokens: string[]; kinds: number[] } {
  const tokens = Array.from({ length: rows }, (_, id) => `[PAD${id}]`);
  const kinds = new Array<number>(rows).fill(KINDS.unused);
  const place = (content: string, id: number, kind: number): void => {
    if (!(id < rows)) throw new GgufError(path, `token ${id} is beyond the embedding's ${rows} rows`);
    tokens[id] = content;
    kinds[id] = kind;
  };
  for (const [content, id] of vocab)
    place(content, id, /^<0x[0-9A-F]{2}>$/.test(content) ? KINDS.byte : KINDS.normal);
  for (const { content, id, special } of addedTokens)
    place(content, id, special ? KINDS.control : KINDS.user);
  const unknown = tokenizer.special.unk === undefined ? undefined : tokenizer.idOf(tokenizer.special.unk);
  if (unknown !== undefined && kinds[unknown] === KINDS.control) kinds[unknown] = KINDS.unknown;
  return { tokens, kinds };
}

/** llama.cpp takes the merge whose piece has the higher score; here the rank of its first merge says which that is. */
function scoresOf(
  tokens: readonly string[],
  merges: readonly [string, string][],
  notes: string[],
): Float32Array {
  const ranks = new Map<string, number>();
  let [pieces, torn, last] = [0, 0, ""];
  for (const [left, right] of merges) {
    const piece = left + right;
    if (!ranks.has(piece)) ranks.set(piece, pieces++);
    else if (piece !== last) torn++;
    last = piece;
  }
  if (torn > 0)
    notes.push(
      `${torn} merges of the tokenizer lie apart from others of their piece: a few texts may get other tokens`,
    );
  return Float32Array.from(tokens, (token, id) => -(ranks.get(token) ?? pieces + id));
}

/** Whether a space is put before a text. */
function prefixes({ normalizer, pre_tokenizer }: Json): boolean {
  const said = JSON.stringify([normalizer, pre_tokenizer]);
  const { type, prepend_scheme: scheme } = object(pre_tokenizer);
  return said.includes('"Prepend"') || (type === "Metaspace" && scheme !== "never");
}

/** What a pre-tokenizer does, without what changes nothing. */
function signature(pre: unknown): string {
  const { type, pretokenizers, pattern, use_regex, individual_digits } = object(pre);
  if (type === "Sequence") return (pretokenizers as unknown[]).map(signature).join(" ");
  return JSON.stringify([
    type,
    object(pattern).Regex,
    use_regex ?? (type === "ByteLevel" ? true : undefined),
    individual_digits,
  ]);
}

function wordKind({ pre_tokenizer, model }: Json, path: string): string {
  const given = signature(pre_tokenizer);
  const alike = WORD_KINDS.filter(({ preTokenizer }) => signature(preTokenizer) === given);
  const ignores = object(model).ignore_merges === true;
  const found = alike.find(({ ignoreMerges }) => ignoreMerges === ignores) ?? alike[0];
  if (found !== undefined) return found.names[0];
  throw new GgufError(path, "parts words in a way that llama.cpp has no name for here", {
    hint: `known are ${WORD_KINDS.map(({ names }) => names[0]).join(", ")}`,
  });
}

function addSpecial(metadata: Map<string, Typed>, tokenizer: Tokenizer, notes: string[]): void {
  const { special, prefixIds, stopIds, bosId } = tokenizer;
  const idOf = (token: string | undefined): number | undefined =>
    token === undefined ? undefined : tokenizer.idOf(token);
  const eos = idOf(special.eos) ?? [...stopIds][0];
  // llama.cpp ends a generation at either; more of them it knows by their texts alone.
  const others = [...stopIds].filter((id) => id !== eos);
  const ids = {
    bos: bosId,
    eos,
    eot: others[0],
    eom: others[1],
    padding: idOf(special.pad),
    unknown: idOf(special.unk),
  };
  for (const [name, id] of Object.entries(ids))
    if (id !== undefined) metadata.set(`tokenizer.ggml.${name}_token_id`, uint32(id));
  if (others.length > 2)
    notes.push(`of ${stopIds.size} stop tokens three go into the file, and all into the Modelfile`);
  metadata.set("tokenizer.ggml.add_bos_token", bool(bosId !== undefined && prefixIds[0] === bosId));
  metadata.set("tokenizer.ggml.add_eos_token", bool(false));
}
