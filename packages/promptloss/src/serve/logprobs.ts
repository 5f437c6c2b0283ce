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

interface Placed {
  readonly token: TokenLogProbability;
  readonly text: string;
}

/** Each token with its part of the text. */
async function place(
  tokenizer: Decoder,
  tokens: readonly TokenLogProbability[],
  { promptIds = [], text }: CompletionText,
): Promise<Placed[]> {
  const detokenizer = new Detokenizer(tokenizer, promptIds);
  const placed: { token: TokenLogProbability; text: string }[] = [];
  for (const token of tokens) placed.push({ token, text: await detokenizer.push(token.id) });
  const rest = await detokenizer.end();
  const last = placed.at(-1);
  if (last !== undefined) last.text += rest;
  return text === undefined ? placed : within(placed, text.length);
}

/** The tokens of the text's first so many UTF-16 units; of the last one the part that belongs to them. */
function within(placed: readonly Placed[], length: number): Placed[] {
  const kept: Placed[] = [];
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
  const placed = await place(tokenizer, logProbabilities, completion);
  let offset = 0;
  const text_offset = placed.map(({ text }) => {
    const { length } = [...text];
    offset += length;
    return offset - length;
  });
  const others = ({ token, text }: Placed): Record<string, number> =>
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
  const entry = (id: number, logProbability: number, token: string): ChatToken => ({
    token,
    logprob: finite(logProbability),
    bytes: [...bytesOf(tokenizer, id)],
  });
  const content = (await place(tokenizer, logProbabilities, completion)).map(({ token, text }) => ({
    ...entry(token.id, token.logProbability, text),
    top_logprobs: token.top.map(({ id, logProbability }) =>
      entry(id, logProbability, id === token.id && text !== "" ? text : textOf(tokenizer, id)),
    ),
  }));
  return { content, refusal: null };
}
