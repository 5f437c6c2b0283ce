// Bodies of requests for chat completions → prompts and options of generation: messages, tools, structured output.
import { z } from "zod";
import {
  type ChatTurn,
  schemaGrammar,
  type TextGenerationOptions,
  type ToolMessage,
} from "../generation/index.ts";
import { CallReader } from "./call-reader.ts";
import { refusedField } from "./errors.ts";
import {
  checkCompletions,
  jsonObject,
  neutral,
  newTokens,
  parseFields,
  SHARED_FIELDS,
  sharedOptions,
} from "./fields.ts";
import { common, type RequestContext, type TextRequest } from "./requests.ts";
import { callPlan, messageTools, TOOL_FIELDS, type ToolFields } from "./tools.ts";

const content = z.union(
  [z.string(), z.array(z.strictObject({ type: z.literal("text"), text: z.string() }))],
  {
    error: "expected a string, or parts of type text",
  },
);

const messageSchema = z.strictObject({
  role: z.enum(["system", "developer", "user", "assistant", "tool"]),
  content: content.nullish(),
  ...messageTools,
  name: neutral(),
  refusal: neutral(),
  // As responses carry them, which clients send back.
  function_call: neutral(),
  annotations: neutral([]),
  audio: neutral(),
});

type Message = z.infer<typeof messageSchema>;

const formatSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object") }),
  z.strictObject({
    type: z.literal("json_schema"),
    json_schema: z.strictObject({
      name: z.string().regex(/^[\w-]{1,64}$/),
      description: z.string().nullish(),
      schema: jsonObject,
      // The text fits the schema either way.
      strict: z.boolean().nullish(),
    }),
  }),
]);

const chatSchema = z.strictObject({
  ...SHARED_FIELDS,
  ...TOOL_FIELDS,
  messages: z.array(messageSchema).min(1),
  max_completion_tokens: z.int().min(1).nullish(),
  logprobs: z.boolean().nullish(),
  top_logprobs: z.int().min(0).max(20).nullish(),
  response_format: formatSchema.nullish(),
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

type ChatFields = z.infer<typeof chatSchema>;

/** @throws {ServeError} for a body that is no such request, or asks for what can't be done */
export function chatRequest(body: unknown, context: RequestContext): TextRequest {
  const fields = parseFields(chatSchema, body);
  checkTogether(fields);
  const { logprobs, top_logprobs, max_tokens, max_completion_tokens } = fields;
  const messages = fields.messages.map(chatTurn);
  if (!["user", "tool"].includes(messages.at(-1)!.role))
    throw refusedField(
      "messages",
      "the last is not the user's, nor a tool's, so that there is nothing to complete",
    );
  checkCompletions(1, fields.n ?? 1, context.limits);
  const tokens = newTokens(max_completion_tokens ?? max_tokens, context.chatTokens, context.limits);
  const plan = callPlan(fields as ToolFields, context);
  return {
    ...common(fields),
    kind: "chat",
    prompts: [{ messages, ...(plan.tools.length > 0 && { tools: plan.tools }) }],
    options: {
      ...sharedOptions(fields, tokens, context.temperature),
      ...(logprobs && { logProbabilities: top_logprobs ?? 0 }),
      ...formatOptions(fields, context),
      ...plan.options,
    },
    ...(plan.form !== undefined && { calls: new CallReader(plan.form, plan.names) }),
  };
}

/** @throws {ServeError} for fields that exclude each other */
function checkTogether(fields: ChatFields): void {
  const { logprobs, top_logprobs, max_tokens, max_completion_tokens, tools, tool_choice } = fields;
  if (typeof top_logprobs === "number" && !logprobs)
    throw refusedField("top_logprobs", "needs logprobs to be true");
  if (typeof max_tokens === "number" && typeof max_completion_tokens === "number")
    throw refusedField("max_tokens", "and max_completion_tokens mean the same; give one of them");
  const calls = (tools ?? []).length > 0 && tool_choice !== "none";
  if (calls && logprobs) throw refusedField("logprobs", "are not supported where functions may be called");
  if (calls && (fields.response_format?.type ?? "text") !== "text")
    throw refusedField("response_format", "is not supported where functions may be called");
}

function formatOptions(
  { response_format }: ChatFields,
  { masks }: RequestContext,
): Pick<TextGenerationOptions, "constraint"> {
  if (!response_format || response_format.type === "text") return {};
  const schema =
    response_format.type === "json_object" ? { type: "object" } : response_format.json_schema.schema;
  const field = "response_format.json_schema.schema";
  const found = masks.get(JSON.stringify(schema), () => schemaGrammar(schema, field));
  return { constraint: () => found.constraint() };
}

/** @throws {ServeError} for a message without words that calls nothing */
function chatTurn(message: Message, index: number): ChatTurn | ToolMessage {
  const { content, tool_calls, tool_call_id } = message;
  const role = message.role === "developer" ? "system" : message.role;
  const text = typeof content === "string" ? content : (content ?? []).map(({ text }) => text).join("");
  const at = `messages.${index}`;
  if (tool_calls?.length && role !== "assistant")
    throw refusedField(`${at}.tool_calls`, `are an assistant's, not a ${role}'s`);
  if (tool_call_id && role !== "tool")
    throw refusedField(`${at}.tool_call_id`, `is a tool's, not a ${role}'s`);
  if (!content && content !== "" && !tool_calls?.length) throw refusedField(`${at}.content`, "is missing");
  if (role === "tool") return { role, content: text, ...(tool_call_id && { tool_call_id }) };
  if (tool_calls?.length) return { role, content: content ? text : null, tool_calls };
  return { role, content: text };
}
