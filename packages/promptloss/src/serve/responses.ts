// Responses in OpenAI's shapes: whole ones, and the chunks of streams.
import { randomUUID } from "node:crypto";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import type { GeneratedText, TextPiece, TextResult } from "../generation/index.ts";
import { chatLogprobs, completionLogprobs } from "./logprobs.ts";
import type { TextRequest } from "./requests.ts";

export interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
}

/** A prompt counts once, however many completions it gets. */
export function usageOf(results: readonly TextResult[]): Usage {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
  const prompt_tokens = sum(results.map(({ promptIds }) => promptIds.length));
  const completion_tokens = sum(results.flatMap(({ sequences }) => sequences.map(({ ids }) => ids.length)));
  return { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens };
}

type ResponseTokenizer = Pick<Tokenizer, "decode" | "bytesOf" | "specialIds">;

/** The bodies of one response: they share id, time and model. */
export class ResponseBodies {
  readonly #request: TextRequest;
  readonly #tokenizer: ResponseTokenizer;
  readonly #head: { readonly id: string; readonly created: number; readonly model: string };
  readonly #begun = new Set<number>();

  constructor(request: TextRequest, tokenizer: ResponseTokenizer) {
    this.#request = request;
    this.#tokenizer = tokenizer;
    const prefix = request.kind === "chat" ? "chatcmpl" : "cmpl";
    this.#head = {
      id: `${prefix}-${randomUUID()}`,
      created: Math.floor(Date.now() / 1000),
      model: request.model,
    };
  }

  async whole(results: readonly TextResult[]): Promise<object> {
    const all = results.flatMap(({ sequences, promptIds }) =>
      sequences.map((completion) => ({ completion, promptIds })),
    );
    const choices = await Promise.all(
      all.map(({ completion, promptIds }, index) => this.#choice(completion, promptIds, index)),
    );
    const object = this.#request.kind === "chat" ? "chat.completion" : "text_completion";
    return { object, ...this.#head, choices, usage: usageOf(results) };
  }

  /** A piece of text as it comes; the first of a chat completion names its role. */
  piece({ prompt, sequence, text }: TextPiece): object {
    const index = prompt * (this.#request.options.sequences ?? 1) + sequence;
    return this.#chunk(index, text, null);
  }

  /** The last chunk of each sequence, and the token counts where asked for. */
  last(results: readonly TextResult[]): object[] {
    const all = results.flatMap(({ sequences }) => sequences);
    const ends = all.map(({ finishReason }, index) => this.#chunk(index, "", finishReason));
    return this.#request.streamUsage
      ? [...ends, { ...this.#frame(), choices: [], usage: usageOf(results) }]
      : ends;
  }

  #frame(): object {
    const object = this.#request.kind === "chat" ? "chat.completion.chunk" : "text_completion";
    return { object, ...this.#head };
  }

  #chunk(index: number, text: string, finish_reason: string | null): object {
    const first = !this.#begun.has(index);
    this.#begun.add(index);
    const delta = { ...(first && { role: "assistant" }), ...((first || text !== "") && { content: text }) };
    const part = this.#request.kind === "chat" ? { delta } : { text };
    return { ...this.#frame(), choices: [{ index, ...part, logprobs: null, finish_reason }] };
  }

  async #choice(completion: GeneratedText, promptIds: ArrayLike<number>, index: number): Promise<object> {
    const { kind, options } = this.#request;
    const { text, finishReason } = completion;
    const logProbabilities = ofText(completion);
    if (kind === "chat") {
      const logprobs =
        logProbabilities === undefined
          ? null
          : await chatLogprobs(this.#tokenizer, logProbabilities, { promptIds, text });
      const message = { role: "assistant", content: text, refusal: null };
      return { index, message, logprobs, finish_reason: finishReason };
    }
    const logprobs =
      logProbabilities === undefined
        ? null
        : await completionLogprobs(this.#tokenizer, logProbabilities, options.logProbabilities ?? 0, {
            promptIds,
            text,
          });
    return { index, text, logprobs, finish_reason: finishReason };
  }
}

/** A stop token is no part of the text. */
function ofText({ logProbabilities, stopReason }: GeneratedText): GeneratedText["logProbabilities"] {
  return typeof stopReason === "number" ? logProbabilities?.slice(0, -1) : logProbabilities;
}
