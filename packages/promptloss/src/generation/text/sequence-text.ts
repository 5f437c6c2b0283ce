// The text of sequences while they grow: pieces as they settle, stop strings across the borders of tokens. Follows
// generation through its listener and its stop criterion.
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import type {
  Candidate,
  GeneratedSequence,
  StopCriterion,
  TokenEvent,
  TokenLogProbability,
} from "../types.ts";
import { type DetokenizeOptions, Detokenizer } from "./detokenizer.ts";
import { StopStrings } from "./stop-strings.ts";

export interface TextPiece {
  /** Index of the prompt. */
  readonly prompt: number;
  /** Which of the prompt's sequences. */
  readonly sequence: number;
  readonly text: string;
  /** Where log-probabilities are asked for: those of the tokens since the piece before, without a stop token's. */
  readonly tokens?: readonly TokenLogProbability[];
}

export interface SequenceTextOptions extends DetokenizeOptions {
  readonly tokenizer: Pick<Tokenizer, "decode">;
  readonly prompts: readonly ArrayLike<number>[];
  readonly stops: readonly string[];
  /** Their text is no part of the sequence's. */
  readonly stopIds: ReadonlySet<number>;
  readonly onText: ((piece: TextPiece) => void | Promise<void>) | undefined;
}

interface Growing {
  readonly detokenizer: Detokenizer;
  readonly stops: StopStrings;
  readonly pieces: string[];
  /** Tokens since the last piece. */
  tokens: TokenLogProbability[];
}

export class SequenceTexts {
  readonly #options: SequenceTextOptions;
  readonly #growing = new Map<string, Growing>();

  constructor(options: SequenceTextOptions) {
    this.#options = options;
  }

  /** For `onTokens`. */
  readonly onTokens = async (tokens: readonly TokenEvent[]): Promise<void> => {
    const { stopIds } = this.#options;
    const pieces = await Promise.all(
      tokens.map(({ prompt, sequence, id, logProbability }) => {
        const growing = this.#of(prompt, sequence);
        if (logProbability !== undefined && !stopIds.has(id)) growing.tokens.push(logProbability);
        return stopIds.has(id) ? growing.detokenizer.end() : growing.detokenizer.push(id);
      }),
    );
    for (const [i, { prompt, sequence, id }] of tokens.entries()) {
      await this.#pass(prompt, sequence, pieces[i]!);
      if (stopIds.has(id)) await this.#release(prompt, sequence);
    }
  };

  /** For `stopCriterion`, beside `onTokens`. */
  readonly stopped: StopCriterion = (candidates) =>
    candidates.map(({ prompt, sequence }) => this.#of(prompt, sequence).stops.stop);

  /** The text of a sequence that has ended. Without `onTokens` before, all of it comes now. */
  async finish(
    prompt: number,
    sequence: number,
    { ids, finishReason, stopReason }: GeneratedSequence,
  ): Promise<string> {
    const known = this.#growing.has(`${prompt} ${sequence}`);
    const { detokenizer, pieces } = this.#of(prompt, sequence);
    if (!known) {
      const ended = finishReason === "stop" && typeof stopReason === "number";
      const words = ended ? ids.subarray(0, -1) : ids;
      if (words.length > 0) await this.#pass(prompt, sequence, await detokenizer.push(...words));
    }
    await this.#pass(prompt, sequence, await detokenizer.end());
    await this.#release(prompt, sequence);
    return pieces.join("");
  }

  #of(prompt: number, sequence: number): Growing {
    const key = `${prompt} ${sequence}`;
    let growing = this.#growing.get(key);
    if (growing === undefined) {
      const { tokenizer, prompts, stops } = this.#options;
      growing = {
        detokenizer: new Detokenizer(tokenizer, prompts[prompt]!, this.#options),
        stops: new StopStrings(stops),
        pieces: [],
        tokens: [],
      };
      this.#growing.set(key, growing);
    }
    return growing;
  }

  async #pass(prompt: number, sequence: number, text: string): Promise<void> {
    await this.#give(prompt, sequence, this.#of(prompt, sequence).stops.push(text).text);
  }

  async #release(prompt: number, sequence: number): Promise<void> {
    await this.#give(prompt, sequence, this.#of(prompt, sequence).stops.end());
  }

  async #give(prompt: number, sequence: number, text: string): Promise<void> {
    if (text === "") return;
    const growing = this.#of(prompt, sequence);
    growing.pieces.push(text);
    const { tokens } = growing;
    growing.tokens = [];
    await this.#options.onText?.({ prompt, sequence, text, ...(tokens.length > 0 && { tokens }) });
  }
}

/** Finds stop strings in the last words of beams' extensions, which share their past in many ways. */
export function beamStops({ tokenizer, prompts, stops, ...options }: SequenceTextOptions): StopCriterion {
  // A token is a byte at least, a character four bytes at most.
  const reach = 4 * Math.max(...stops.map(({ length }) => length)) + 4;
  const stopOf = async ({ prompt, ids }: Candidate): Promise<string | undefined> => {
    const from = Math.max(0, ids.length - reach);
    const before = [...Array.from(prompts[prompt]!), ...ids.slice(0, from)];
    const text = await new Detokenizer(tokenizer, before, options).push(...ids.slice(from));
    return stops.find((stop) => text.includes(stop));
  };
  return (candidates) => Promise.all(candidates.map(stopOf));
}
