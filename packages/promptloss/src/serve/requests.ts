// Bodies of requests → prompts and options of generation. Images, audio, tools and structured output are refused.
import { z } from "zod";
import type { ChatTurn, TextGenerationOptions, TextPrompt } from "../generation/index.ts";
import { ServeError } from "./errors.ts";
import { checkCompletions, neutral, newTokens, parseFields, SHARED_FIELDS, sharedOptions } from "./fields.ts";
import type { ServeLimits } from "./limits.ts";

/** What the server knows of its model when it reads a request. */
export interface RequestContext {
  readonly limits: ServeLimits;
  /** Of the model's own defaults; 1 where it has none. */
  readonly temperature: number;
  /** New tokens of a chat completion where the request does not say. */
  readonly chatTokens: number;
}

/** A request, settled. */
export interface TextRequest {
  readonly kind: "completion" | "chat";
  readonly model: string;
  readonly prompts: readonly TextPrompt[];
  readonly options: TextGenerationOptions;
  readonly stream: boolean;
  /** A last event of a stream that counts tokens. */
  readonly streamUsage: boolean;
}

const ids = z.array(z.int().min(0)).min(1);

const completionSchema = z.strictObject({
  ...SHARED_FIELDS,
  prompt: z.union([z.string(), z.array(z.string()).min(1), ids, z.array(ids).min(1)], {
    error: "expected a string, strings, token ids, or lists of token ids",
  }),
  logprobs: z.int().min(0).max(5).nullish(),
  echo: neutral(false),
  suffix: neutral(""),
  best_of: neutral(1),
});

/** OpenAI's number of tokens for completions that name none. */
const COMPLETION_TOKENS = 16;

/** @throws {ServeError} for a body that is no such request, or asks for what can't be done */
export function completionRequest(body: unknown, context: RequestContext): TextRequest {
  const fields = parseFields(completionSchema, body);
  const prompts = promptsOf(fields.prompt);
  checkCompletions(prompts.length, fields.n ?? 1, context.limits);
  const tokens = newTokens(fields.max_tokens, COMPLETION_TOKENS, context.limits);
  return {
    ...common(fields),
    kind: "completion",
    prompts,
    options: {
      ...sharedOptions(fields, tokens, context.temperature),
      ...(typeof fields.logprobs === "number" && { logProbabilities: fields.logprobs }),
    },
  };
}

function promptsOf(prompt: z.infer<typeof completionSchema>["prompt"]): TextPrompt[] {
  if (typeof prompt === "string") return [{ text: prompt }];
  if (typeof prompt[0] === "number") return [{ ids: prompt as number[] }];
  return (prompt as (string | number[])[]).map((each) =>
    typeof each === "string" ? { text: each } : { ids: each },
  );
}

const content = z.union(
  [z.string(), z.array(z.strictObject({ type: z.literal("text"), text: z.string() }))],
  {
    error: "expected a string, or parts of type text",
  },
);

const messageSchema = z.strictObject({
  role: z.enum(["system", "developer", "user", "assistant"]),
  content,
  name: neutral(),
  refusal: neutral(),
  // As responses carry them, which clients send back.
  tool_calls: neutral([]),
  function_call: neutral(),
  annotations: neutral([]),
  audio: neutral(),
});

const chatSchema = z.strictObject({
  ...SHARED_FIELDS,
  messages: z.array(messageSchema).min(1),
  max_completion_tokens: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  response_format: neutral({ type: "text" }),
  tools: neutral([]),
  tool_choice: neutral("none", "auto"),
  // Without tools none are called, one by one or side by side.
  parallel_tool_calls: neutral(false, true),
  functions: neutral([]),
  function_call: neutral("none", "auto"),
  reasoning_effort: neutral("none"),
  verbosity: neutral(),
  audio: neutral(),
  prediction: neutral(),
  web_search_options: neutral(),
  modalities: neutral(["text"]),
  store: neutral(false),
});

/** @throws {ServeError} for a body that is no such request, or asks for what can't be done */
export function chatRequest(body: unknown, context: RequestContext): TextRequest {
  const fields = parseFields(chatSchema, body);
  const { logprobs, top_logprobs, max_tokens, max_completion_tokens } = fields;
  const refuse = (param: string, message: string): never => {
    throw new ServeError(400, `${param}: ${message}`, { param });
  };
  if (typeof top_logprobs === "number" && !logprobs) refuse("top_logprobs", "needs logprobs to be true");
  if (typeof max_tokens === "number" && typeof max_completion_tokens === "number")
    refuse("max_tokens", "and max_completion_tokens mean the same; give one of them");
  const messages = fields.messages.map(chatTurn);
  if (messages.at(-1)!.role !== "user")
    refuse("messages", "the last is not the user's, so that there is nothing to complete");
  checkCompletions(1, fields.n ?? 1, context.limits);
  const tokens = newTokens(max_completion_tokens ?? max_tokens, context.chatTokens, context.limits);
  return {
    ...common(fields),
    kind: "chat",
    prompts: [{ messages }],
    options: {
      ...sharedOptions(fields, tokens, context.temperature),
      ...(logprobs && { logProbabilities: top_logprobs ?? 0 }),
    },
  };
}

function chatTurn({ role, content }: z.infer<typeof messageSchema>): ChatTurn {
  return {
    role: role === "developer" ? "system" : role,
    content: typeof content === "string" ? content : content.map(({ text }) => text).join(""),
  };
}

interface CommonFields {
  readonly model: string;
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: { readonly include_usage?: boolean | undefined } | null | undefined;
}

function common({
  model,
  stream,
  stream_options,
}: CommonFields): Pick<TextRequest, "model" | "stream" | "streamUsage"> {
  if (stream_options && !stream)
    throw new ServeError(400, "stream_options: only streams have them", { param: "stream_options" });
  return { model, stream: stream ?? false, streamUsage: stream_options?.include_usage ?? false };
}
