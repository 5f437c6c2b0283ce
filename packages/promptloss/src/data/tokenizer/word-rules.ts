// Whether a tokenizer encodes each word of a text as it would alone, and what a word then is. It does where a byte-pair
// model of sentencepiece's kind sees the whole text with ▁ for each space and no token reaches from another character
// into a ▁: then no merge crosses that border, and merges on one side of it do not see the other.

/** How a text falls into words that are encoded independently: spaces, then what follows up to the next space. */
export interface WordRules {
  /** What the tokenizer puts before a text: a space always, or one where the text has none. */
  readonly prefix: "always" | "where-missing";
  /** By id: whether a token begins with ▁. */
  readonly begins: Uint8Array;
  /** By id: whether a token ends with ▁. */
  readonly ends: Uint8Array;
  /** Texts with one of these do not follow the rules: added tokens, and ▁ itself, which is not told from a space. */
  readonly exceptions: readonly string[];
}

const SPACE = "▁";

type Json = Readonly<Record<string, unknown>>;

function object(value: unknown): Json {
  return typeof value === "object" && value !== null ? (value as Json) : {};
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(object) : [];
}

/**
 * The rules of a tokenizer, undefined where its words may depend on each other.
 * @param json tokenizer.json, parsed
 */
export function wordRules(json: unknown): WordRules | undefined {
  const { model, normalizer, pre_tokenizer, added_tokens } = object(json);
  const prefix = prefixOf(normalizer, pre_tokenizer);
  const vocabulary = Object.entries(object(object(model).vocab));
  if (prefix === undefined || !mergesAlone(object(model))) return undefined;
  if (vocabulary.some(([token]) => /[^▁]▁/u.test(token))) return undefined;
  const added = list(added_tokens).map((entry) => String(entry.content));
  const size = vocabulary.reduce((most, [, id]) => Math.max(most, Number(id) + 1), 0);
  const begins = new Uint8Array(size);
  const ends = new Uint8Array(size);
  for (const [token, id] of vocabulary) {
    begins[Number(id)] = Number(token.startsWith(SPACE));
    ends[Number(id)] = Number(token.endsWith(SPACE));
  }
  return { prefix, begins, ends, exceptions: [SPACE, ...added.filter((content) => content !== "")] };
}

/** Whether a model's tokens come of merges alone, and ▁ is a token, so that unknown characters do not fuse across it. */
function mergesAlone(model: Json): boolean {
  return (
    model.type === "BPE" &&
    SPACE in object(model.vocab) &&
    !model.dropout &&
    !model.ignore_merges &&
    !model.continuing_subword_prefix &&
    !model.end_of_word_suffix
  );
}

/** The two ways of writing ▁ for spaces that leave all else alone: a pre-tokenizer's, and a normalizer's. */
function prefixOf(normalizer: unknown, preTokenizer: unknown): WordRules["prefix"] | undefined {
  const { type, replacement, prepend_scheme: scheme } = object(preTokenizer);
  if (type === "Metaspace" && replacement === SPACE && normalizer === null)
    return scheme === "first" || scheme === "always" ? "where-missing" : undefined;
  const [prepend, replace, ...more] = list(object(normalizer).normalizers);
  const normalizes =
    prepend?.type === "Prepend" &&
    prepend.prepend === SPACE &&
    replace?.type === "Replace" &&
    object(replace.pattern).String === " " &&
    replace.content === SPACE;
  return normalizes && more.length === 0 && preTokenizer === null ? "always" : undefined;
}
