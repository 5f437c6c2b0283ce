// tokenizer.json, as Hugging Face's library reads it, from what other formats keep of a tokenizer: a sentencepiece
// vocabulary with scores, or a byte-level one with merges.

export interface Piece {
  readonly text: string;
  /** sentencepiece's: of two merges the one whose piece has the higher score comes first. */
  readonly score: number;
}

/** Tokens that split a text before anything else is done with it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

interface Parts {
  readonly added: readonly AddedToken[];
  /** The token before every text. */
  readonly bos?: AddedToken | undefined;
  /** The token after every text. */
  readonly eos?: AddedToken | undefined;
  readonly normalizer: object | null;
  readonly preTokenizer: object | null;
  readonly decoder: object;
  readonly model: object;
}

/** What tokenizer.json holds. */
export function tokenizerJson({ added, bos, eos, normalizer, preTokenizer, decoder, model }: Parts): object {
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map((token) => ({
      ...token,
      ...{ normalized: false, single_word: false, lstrip: false, rstrip: false },
    })),
    normalizer,
    pre_tokenizer: preTokenizer,
    post_processor: templateOf(bos, eos),
    decoder,
    model,
  };
}

function templateOf(bos: AddedToken | undefined, eos: AddedToken | undefined): object | null {
  const around = [bos, eos].filter((token) => token !== undefined);
  if (around.length === 0) return null;
  const special = (token: AddedToken | undefined, type: number): object[] =>
    token === undefined ? [] : [{ SpecialToken: { id: token.content, type_id: type } }];
  const text = (id: string, type: number): object[] => [
    ...special(bos, type),
    { Sequence: { id, type_id: type } },
    ...special(eos, type),
  ];
  return {
    type: "TemplateProcessing",
    single: text("A", 0),
    pair: [...text("A", 0), ...text("B", 1)],
    special_tokens: Object.fromEntries(
      around.map(({ content, id }) => [content, { id: content, ids: [id], tokens: [content] }]),
    ),
  };
}

/** ▁ for spaces, and a byte of its own for what the vocabulary has no piece of. */
export function pieceModel(vocab: ReadonlyMap<string, number>, merges: readonly [string, string][]): object {
  return {
    ...{ type: "BPE", dropout: null, unk_token: null },
    ...{ continuing_subword_prefix: null, end_of_word_suffix: null },
    ...{ fuse_unk: true, byte_fallback: true, ignore_merges: false },
    vocab: Object.fromEntries(vocab),
    merges,
  };
}

/** ▁ back to spaces, bytes back to characters. @param strip the space that was put before a text is taken off */
export function pieceDecoder(strip: boolean): object {
  return {
    type: "Sequence",
    decoders: [
      { type: "Replace", pattern: { String: "▁" }, content: " " },
      { type: "ByteFallback" },
      { type: "Fuse" },
      ...(strip ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
    ],
  };
}

/**
 * Every way to put a piece together from two others; better pieces first, then by the parts' ids.
 * @param pieces those that merging makes, each with its id
 * @param ids of all pieces
 */
export function mergesOf(
  pieces: readonly (Piece & { readonly id: number })[],
  ids: ReadonlyMap<string, number>,
): [string, string][] {
  return [...pieces]
    .sort((a, b) => b.score - a.score || a.id - b.id)
    .flatMap(({ text }) => splitsOf(text, ids));
}

function splitsOf(text: string, ids: ReadonlyMap<string, number>): [string, string][] {
  const splits: [left: string, right: string, leftId: number, rightId: number][] = [];
  for (let at = 1; at < text.length; at++) {
    // Not within a character of two code units.
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00) continue;
    const [left, right] = [text.slice(0, at), text.slice(at)];
    const leftId = ids.get(left);
    const rightId = leftId === undefined ? undefined : ids.get(right);
    if (leftId !== undefined && rightId !== undefined) splits.push([left, right, leftId, rightId]);
  }
  return splits.sort((a, b) => a[2] - b[2] || a[3] - b[3]).map(([left, right]) => [left, right]);
}
