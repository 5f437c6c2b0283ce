// Chats with a served model, by OpenAI's API: pieces of the answer as they come.
import { getJson, postJson } from "../api/client.ts";
import { eventsOf } from "../api/event-stream.ts";

export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly Message[];
  readonly temperature: number;
  readonly max_tokens: number;
  /** Of the sampling; drawn by the server where left out. */
  readonly seed?: number;
}

export interface Piece {
  readonly text: string;
  /** Of the last piece: `stop`, or `length` where the limit of tokens cut the answer. */
  readonly finish: string | null;
}

interface Chunk {
  readonly error?: { readonly message: string };
  readonly choices?: readonly {
    readonly delta: { readonly content?: string | null };
    readonly finish_reason: string | null;
  }[];
}

/** Ids of the models that are served. */
export async function servedModels(signal: AbortSignal): Promise<string[]> {
  const { data } = await getJson<{ data: readonly { id: string }[] }>("/v1/models", signal);
  return data.map(({ id }) => id);
}

/** @throws {ApiError} for what the server refuses; {Error} for what fails on the way */
export async function* chat(request: ChatRequest, signal: AbortSignal): AsyncGenerator<Piece> {
  const response = await postJson("/v1/chat/completions", { ...request, stream: true }, signal);
  for await (const data of eventsOf(response)) {
    if (data === "[DONE]") return;
    const { error, choices } = JSON.parse(data) as Chunk;
    if (error !== undefined) throw new Error(error.message);
    const [choice] = choices ?? [];
    if (choice !== undefined) yield { text: choice.delta.content ?? "", finish: choice.finish_reason };
  }
}
