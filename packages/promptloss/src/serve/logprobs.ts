// Log-probabilities in OpenAI's two shapes: parallel lists of completions, a list of tokens of chat answers.
import type { Tokenizer } from "../data/tokenizer/index.ts";
import type { TokenLogProbability } from "../generation/index.ts";

/** Of a completion: one entry a token in each list. */
export interface CompletionLogprobs {
  readonly tokens: readonly string[];
  readonly token_logprobs: readonly number[];
  readonly top_logprobs: readonly Readonly<Record<string, number>>[] | null;
  /** Where each token begins, in characters from the answer's start, as the tokens' own texts add up. */
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

type Decoder = Pick<Tokenizer, "decode">;

/** Each id decoded alone. A part of a character is the replacement character. */
const textsOf = async (
  tokenizer: Decoder,
  logProbabilities: readonly TokenLogProbability[],
): Promise<Map<number, string>> => {
  const ids = new Set(logProbabilities.flatMap(({ id, top }) => [id, ...top.map((each) => each.id)]));
  return new Map(await Promise.all([...ids].map(async (id) => [id, await tokenizer.decode([id])] as const)));
};

/** @param top how many others were asked for */
export const completionLogprobs = async (
  tokenizer: Decoder,
  logProbabilities: readonly TokenLogProbability[],
  top: number,
): Promise<CompletionLogprobs> => {
  const texts = await textsOf(tokenizer, logProbabilities);
  const tokens = logProbabilities.map(({ id }) => texts.get(id)!);
  let offset = 0;
  const text_offset = tokens.map((token) => {
    offset += token.length;
    return offset - token.length;
  });
  const others = (each: TokenLogProbability): Record<string, number> =>
    // Backwards, so that of tokens with one text the likeliest stands.
    Object.fromEntries(
      each.top.toReversed().map(({ id, logProbability }) => [texts.get(id)!, logProbability]),
    );
  return {
    tokens,
    token_logprobs: logProbabilities.map(({ logProbability }) => logProbability),
    top_logprobs: top === 0 ? null : logProbabilities.map(others),
    text_offset,
  };
};

export const chatLogprobs = async (
  tokenizer: Decoder,
  logProbabilities: readonly TokenLogProbability[],
): Promise<ChatLogprobs> => {
  const texts = await textsOf(tokenizer, logProbabilities);
  const token = ({ id, logProbability }: { id: number; logProbability: number }): ChatToken => {
    const text = texts.get(id)!;
    return { token: text, logprob: logProbability, bytes: [...Buffer.from(text)] };
  };
  const content = logProbabilities.map((each) => ({ ...token(each), top_logprobs: each.top.map(token) }));
  return { content, refusal: null };
};
