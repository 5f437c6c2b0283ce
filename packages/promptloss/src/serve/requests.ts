// Bodies of requests for completions → prompts and options of generation, and what chats have in common with them.
import { z } from "zod";
import type { Template } from "../data/templates/index.ts";
import type { MaskShelf, TextGenerationOptions, TextPrompt } from "../generation/index.ts";
import type { CallReader } from "./call-reader.ts";
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
  readonly template: Template;
  /** What the model's tokens are held to. */
  readonly masks: MaskShelf;
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
  /** Where functions may be called: how calls are read from the text. */
  readonly calls?: CallReader | undefined;
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

interface CommonFields {
  readonly model: string;
  readonly stream?: boolean | null | undefined;
  readonly stream_options?: { readonly include_usage?: boolean | undefined } | null | undefined;
}

/** What all requests say in the same way. @throws {ServeError} */
export function common({
  model,
  stream,
  stream_options,
}: CommonFields): Pick<TextRequest, "model" | "stream" | "streamUsage"> {
  if (stream_options && !stream)
    throw new ServeError(400, "stream_options: only streams have them", { param: "stream_options" });
  return { model, stream: stream ?? false, streamUsage: stream_options?.include_usage ?? false };
}
