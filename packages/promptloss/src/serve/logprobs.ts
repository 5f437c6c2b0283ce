// Log-probabilities in OpenAI's two shapes: parallel lists of completions, a list of tokens of chat completions. The tokens'
// texts add up to the completion; a character of several tokens stands with the last of them. Bytes are each token's own.
import type { Tokenizer } from "../data/tokenizer/index.ts";
import { Detokenizer, type TokenLogProbability } from "../generation/index.ts";

/** Of a completion: one entry a token in each list. */
export interface CompletionLogprobs {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly number[];
  readonly top_logprobs: readonly Readonly<Record<string, number>>[] | null;
  /** Where each token begins, in characters (code points) from the completion's start. */
  readonly text_offset: readonly number[];
}

interface ChatToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[];
}

export interface ChatLogprobs {
  readonly content: readonly (ChatToken & { readonly top_logprobs: readonly ChatToken[] })[];
  readonly refusal: null;
}

type Decoder = Pick<Tokenizer, "decode" | "bytesOf" | "specialIds">;

/** The completion that the tokens make up. */
export interface CompletionText {
  /** The prompt, which decides whether the first token's space is kept; none where left out. */
  readonly promptIds?: ArrayLike<number>;
  /** What was answered: tokens beyond it, as of a stop string, are left out. All of the tokens where left out. */
  readonly text?: string;
}

/** A token with its part of the text. */
export interface PlacedToken {
  readonly token: TokenLogProbability;
  readonly text: string;
}

/** Each token with its part of the text. */
async function place(
  tokenizer: Decoder,
  tokens: readonly TokenLogProbability[],
  { promptIds = [], text }: CompletionText,
): Promise<PlacedToken[]> {
  const detokenizer = new Detokenizer(tokenizer, promptIds);
  const placed: { token: TokenLogProbability; text: string }[] = [];
  for (const token of tokens) placed.push({ token, text: await detokenizer.push(token.id) });
  const rest = await detokenizer.end();
  const last = placed.at(-1);
  if (last !== undefined) last.text += rest;
  return text === undefined ? placed : within(placed, text.length);
}

/** The tokens of the text's first so many UTF-16 units; of the last one the part that belongs to them. */
function within(placed: readonly PlacedToken[], length: number): PlacedToken[] {
  const kept: PlacedToken[] = [];
  let left = length;
  for (const { token, text } of placed) {
    if (left === 0 && (length === 0 || text !== "")) break;
    kept.push({ token, text: text.slice(0, left) });
    left -= Math.min(left, text.length);
  }
  return kept;
}

/** Special tokens are no part of a completion's text. */
function bytesOf(tokenizer: Decoder, id: number): Uint8Array {
  return tokenizer.specialIds.has(id) ? new Uint8Array() : tokenizer.bytesOf(id);
}

const whole = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What a token that was not taken would have written; of a part of a character its bytes, as OpenAI writes them. */
function textOf(tokenizer: Decoder, id: number): string {
  const bytes = tokenizer.bytesOf(id);
  try {
    return whole.decode(bytes);
  } catch {
    return `bytes:${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}`;
  }
}

/** JSON has no infinity; OpenAI writes this for what can't come. */
const IMPOSSIBLE = -9999;

function finite(logProbability: number): number {
  return Math.max(logProbability, IMPOSSIBLE);
}

/** @param top how many others were asked for */
export async function completionLogprobs(
  tokenizer: Decoder,
  logProbabilities: readonly TokenLogProbability[],
  top: number,
  completion: CompletionText = {},
): Promise<CompletionLogprobs> {
  return completionShape(tokenizer, await place(tokenizer, logProbabilities, completion), top, 0);
}

/** @param from where the first token begins, in characters */
function completionShape(
  tokenizer: Decoder,
  placed: readonly PlacedToken[],
  top: number,
  from: number,
): CompletionLogprobs {
  let offset = from;
  const text_offset = placed.map(({ text }) => {
    const { length } = [...text];
    offset += length;
    return offset - length;
  });
  const others = ({ token, text }: PlacedToken): Record<string, number> =>
    // Backwards, so that of tokens with one text the likeliest stands.
    Object.fromEntries(
      token.top
        .toReversed()
        .map(({ id, logProbability }) => [
          id === token.id && text !== "" ? text : textOf(tokenizer, id),
          finite(logProbability),
        ]),
    );
  return {
    tokens: placed.map(({ text }) => text),
    token_logprobs: placed.map(({ token }) => finite(token.logProbability)),
    top_logprobs: top === 0 ? null : placed.map(others),
    text_offset,
  };
}

export async function chatLogprobs(
  tokenizer: Decoder,
  logProbabilities: readonly TokenLogProbability[],
  completion: CompletionText = {},
): Promise<ChatLogprobs> {
  return chatShape(tokenizer, await place(tokenizer, logProbabilities, completion));
}

function chatShape(tokenizer: Decoder, placed: readonly PlacedToken[]): ChatLogprobs {
  const entry = (id: number, logProbability: number, token: string): ChatToken => ({
    token,
    logprob: finite(logProbability),
    bytes: [...bytesOf(tokenizer, id)],
  });
  const content = placed.map(({ token, text }) => ({
    ...entry(token.id, token.logProbability, text),
    top_logprobs: token.top.map(({ id, logProbability }) =>
      entry(id, logProbability, id === token.id && text !== "" ? text : textOf(tokenizer, id)),
    ),
  }));
  return { content, refusal: null };
}

/** The log-probabilities of a stream's pieces: each token comes with the piece that holds the last of its text. */
export class StreamedLogprobs {
  readonly #tokenizer: Decoder;
  readonly #detokenizer: Detokenizer;
  #waiting: PlacedToken[] = [];
  /** UTF-16 units of text that were given out without their token. */
  #ahead = 0;
  #given = false;
  /** Characters of the tokens given out. */
  #offset = 0;

  constructor(tokenizer: Decoder, promptIds: ArrayLike<number>) {
    this.#tokenizer = tokenizer;
    this.#detokenizer = new Detokenizer(tokenizer, promptIds);
  }

  /** Takes a piece's tokens and its text. @returns the tokens whose text is out */
  async push(tokens: readonly TokenLogProbability[], text: string): Promise<PlacedToken[]> {
    for (const token of tokens) this.#waiting.push({ token, text: await this.#detokenizer.push(token.id) });
    this.#ahead += text.length;
    this.#given ||= text.length > 0;
    let [count, units, length] = [0, 0, 0];
    for (const [i, { text }] of this.#waiting.entries()) {
      length += text.length;
      if (length > this.#ahead) break;
      // Tokens without text may be parts of a character: they wait for its last one.
      if (text !== "") [count, units] = [i + 1, length];
    }
    this.#ahead -= units;
    return this.#waiting.splice(0, count);
  }

  /** @returns the rest; of the token that the text ends within, its part */
  async end(): Promise<PlacedToken[]> {
    const rest = await this.#detokenizer.end();
    const last = this.#waiting.pop();
    if (last !== undefined) this.#waiting.push({ token: last.token, text: `${last.text}${rest}` });
    const out: PlacedToken[] = [];
    for (const { token, text } of this.#given ? this.#waiting : []) {
      if (this.#ahead === 0 && text !== "") break;
      out.push({ token, text: text.slice(0, this.#ahead) });
      this.#ahead -= Math.min(this.#ahead, text.length);
    }
    return out;
  }

  completion(placed: readonly PlacedToken[], top: number): CompletionLogprobs {
    const shape = completionShape(this.#tokenizer, placed, top, this.#offset);
    this.#offset += placed.reduce((sum, { text }) => sum + [...text].length, 0);
    return shape;
  }

  chat(placed: readonly PlacedToken[]): ChatLogprobs {
    return chatShape(this.#tokenizer, placed);
  }
}
