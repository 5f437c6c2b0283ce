// Responses in OpenAI's shapes: whole ones, and the chunks of streams.
import { randomUUID } from "node:crypto";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import type { GeneratedText, TextPiece, TextResult } from "../generation/index.ts";
import type { CallReader, CallStream, ReadMessage } from "./call-reader.ts";
import { chatLogprobs, completionLogprobs, type PlacedToken, StreamedLogprobs } from "./logprobs.ts";
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
  readonly #promptIds: readonly ArrayLike<number>[];
  readonly #logprobs = new Map<number, StreamedLogprobs>();
  readonly #calls = new Map<number, CallStream>();

  /** @param promptIds of each prompt, where log-probabilities are streamed */
  constructor(
    request: TextRequest,
    tokenizer: ResponseTokenizer,
    promptIds: readonly ArrayLike<number>[] = [],
  ) {
    this.#request = request;
    this.#promptIds = promptIds;
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
  async piece({ prompt, sequence, text, tokens = [] }: TextPiece): Promise<object | undefined> {
    const index = prompt * (this.#request.options.sequences ?? 1) + sequence;
    const { calls } = this.#request;
    if (calls !== undefined) {
      const words = this.#callsOf(index, calls).push(text);
      return words === "" ? undefined : this.#chunk(index, words, null, null);
    }
    const logprobs = await this.#streamed(index, (streamed) => streamed.push(tokens, text));
    return this.#chunk(index, text, null, logprobs);
  }

  /** The last chunk of each sequence, and the token counts where asked for. */
  async last(results: readonly TextResult[]): Promise<object[]> {
    const all = results.flatMap(({ sequences }) => sequences);
    const ends: object[] = [];
    const { calls } = this.#request;
    for (const [index, { finishReason }] of all.entries()) {
      if (calls !== undefined) {
        ends.push(...this.#called(index, this.#callsOf(index, calls).end(), finishReason));
        continue;
      }
      const logprobs = await this.#streamed(index, (streamed) => streamed.end());
      ends.push(this.#chunk(index, "", finishReason, logprobs));
    }
    return this.#request.streamUsage
      ? [...ends, { ...this.#frame(), choices: [], usage: usageOf(results) }]
      : ends;
  }

  /** The chunks at the end of a chat that may call functions. */
  #called(index: number, { content, calls }: ReadMessage, finishReason: string): object[] {
    const words = content === "" ? [] : [this.#chunk(index, content, null, null)];
    const called = calls.map((call, i) => this.#chunk(index, "", null, null, [{ index: i, ...call }]));
    return [...words, ...called, this.#chunk(index, "", endOf(calls, finishReason), null)];
  }

  #callsOf(index: number, reader: CallReader): CallStream {
    let stream = this.#calls.get(index);
    if (stream === undefined) {
      stream = reader.stream();
      this.#calls.set(index, stream);
    }
    return stream;
  }

  /** Log-probabilities of a chunk; null where none are asked for, and where it has no token of its own. */
  async #streamed(
    index: number,
    take: (streamed: StreamedLogprobs) => Promise<readonly PlacedToken[]>,
  ): Promise<object | null> {
    const { kind, options } = this.#request;
    if (options.logProbabilities === undefined) return null;
    const prompt = Math.floor(index / (options.sequences ?? 1));
    let streamed = this.#logprobs.get(index);
    if (streamed === undefined) {
      streamed = new StreamedLogprobs(this.#tokenizer, this.#promptIds[prompt] ?? []);
      this.#logprobs.set(index, streamed);
    }
    const placed = await take(streamed);
    if (placed.length === 0) return null;
    return kind === "chat" ? streamed.chat(placed) : streamed.completion(placed, options.logProbabilities);
  }

  #frame(): object {
    const object = this.#request.kind === "chat" ? "chat.completion.chunk" : "text_completion";
    return { object, ...this.#head };
  }

  #chunk(
    index: number,
    text: string,
    finish_reason: string | null,
    logprobs: object | null,
    tool_calls?: readonly object[],
  ): object {
    const first = !this.#begun.has(index);
    this.#begun.add(index);
    const delta = {
      ...(first && { role: "assistant" }),
      ...(text !== "" ? { content: text } : first && { content: tool_calls === undefined ? "" : null }),
      ...(tool_calls && { tool_calls }),
    };
    const part = this.#request.kind === "chat" ? { delta } : { text };
    return { ...this.#frame(), choices: [{ index, ...part, logprobs, finish_reason }] };
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
      const { content, calls } = this.#request.calls?.read(text) ?? { content: text, calls: [] };
      const message = {
        role: "assistant",
        content: calls.length > 0 && content === "" ? null : content,
        refusal: null,
        ...(calls.length > 0 && { tool_calls: calls }),
      };
      return { index, message, logprobs, finish_reason: endOf(calls, finishReason) };
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

function endOf(calls: readonly unknown[], finishReason: string): string {
  return calls.length > 0 ? "tool_calls" : finishReason;
}

/** A stop token is no part of the text. */
function ofText({ logProbabilities, stopReason }: GeneratedText): GeneratedText["logProbabilities"] {
  return typeof stopReason === "number" ? logProbabilities?.slice(0, -1) : logProbabilities;
}
