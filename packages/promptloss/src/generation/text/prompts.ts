// What can be asked of a text generator: an instruction, a conversation, a text as it is, or ids. The ids of an
// instruction are those that training puts before its completion.
import { z } from "zod";
import type { Turn } from "../../data/example.ts";
import { RowProblem } from "../../data/rows/data-error.ts";
import { parseMessages } from "../../data/rows/formats/messages.ts";
import { toolTexts } from "../../data/rows/formats/tools.ts";
import { checkOrder, part, plainTurn, turn } from "../../data/rows/formats/turns.ts";
import type { Template } from "../../data/templates/index.ts";
import { REASONING_KEYS } from "../../data/think-block.ts";
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import { encodePrompt } from "../../data/tokens/index.ts";
import { GenerationError } from "../errors.ts";

export interface ChatTurn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A message of a conversation with tools, as OpenAI's files for fine-tuning have it. */
export interface ToolMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  /** Left out or null where an assistant only calls. */
  readonly content?: string | null;
  /** What an assistant thought; of earlier turns some templates leave it out. */
  readonly reasoning_content?: string;
  /** `{ type: "function", function: { name, arguments } }`, the arguments an object or JSON text of one. */
  readonly tool_calls?: readonly unknown[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

/** A string is an instruction. */
export type TextPrompt =
  | string
  | { readonly instruction: string; readonly input?: string; readonly system?: string }
  /** `tools`: definitions of functions, for a chat template that shows them. */
  | { readonly messages: readonly (ChatTurn | ToolMessage)[]; readonly tools?: readonly unknown[] }
  /** Goes to the model without a template, behind BOS where the tokenizer puts one. */
  | { readonly text: string }
  | { readonly ids: ArrayLike<number> };

const plainChat = z.array(z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() }));

/** Keys of messages that are more than words. */
const MORE_KEYS = ["tool_calls", "function_call", ...REASONING_KEYS] as const;

const promptSchema = z.union([
  z.string(),
  z.strictObject({
    instruction: z.string(),
    input: z.string().optional(),
    system: z.string().optional(),
  }),
  z.strictObject({
    messages: z.array(z.looseObject({ role: z.enum(["system", "user", "assistant", "tool"]) })).min(1),
    tools: z.array(z.unknown()).optional(),
  }),
  z.strictObject({ text: z.string() }),
  z.strictObject({
    ids: z.custom<ArrayLike<number>>((value) => ArrayBuffer.isView(value) || Array.isArray(value)),
  }),
]);

/** @throws {GenerationError} for a prompt of no such kind, and a conversation that does not wait for a completion */
export function checkPrompt(prompt: TextPrompt, index: number): void {
  const refuse = (message: string, hint?: string): never => {
    throw new GenerationError("prompts", `prompt ${index + 1}: ${message}`, { prompt: index, hint });
  };
  if (!promptSchema.safeParse(prompt).success)
    refuse(
      "is not a prompt",
      "give a string, { instruction, input, system }, { messages: [{ role, content }] }, { text } or { ids }",
    );
  if (typeof prompt !== "object" || !("messages" in prompt)) return;
  if (!["user", "tool"].includes(prompt.messages.at(-1)!.role))
    refuse("the last message is not the user's, nor a tool's result", "there is nothing to complete");
  try {
    conversationOf(prompt);
  } catch (error) {
    if (!(error instanceof RowProblem)) throw error;
    const { field, hint, message } = error;
    refuse(field === undefined ? message : `${field}: ${message}`, hint);
  }
}

/** Turns and, where a prompt has them, the tools as JSON texts. */
interface PromptConversation {
  readonly turns: readonly Turn[];
  readonly tools?: readonly string[];
}

const UNTOLD = { ignored: () => {}, counted: () => {} };

/** @throws {RowProblem} for messages that are no conversation */
function conversationOf(prompt: Extract<TextPrompt, { messages: unknown }>): PromptConversation {
  const { messages, tools = [] } = prompt;
  const hasMore = messages.some((message) => MORE_KEYS.some((key) => key in message));
  const plain = tools.length > 0 || hasMore ? undefined : plainChat.safeParse(messages);
  if (plain?.success) return { turns: plain.data.map(({ role, content }) => plainTurn(role, content)) };
  const turns = parseMessages(messages, "messages", UNTOLD);
  checkOrder([...turns, plainTurn("assistant", "?")], "messages");
  return { turns, tools: toolTexts(tools, "tools") };
}

/** The conversation of a prompt; undefined for one that needs no template. */
export function turnsOf(prompt: TextPrompt): PromptConversation | undefined {
  if (typeof prompt === "string") return { turns: [plainTurn("user", prompt)] };
  if ("messages" in prompt) return conversationOf(prompt);
  if (!("instruction" in prompt)) return undefined;
  const { instruction, input = "", system = "" } = prompt;
  const parts = [part("instruction", instruction), ...(input === "" ? [] : [part("input", input)])];
  return { turns: [...(system === "" ? [] : [plainTurn("system", system)]), turn("user", parts)] };
}

export async function promptIds(
  prompt: TextPrompt,
  tokenizer: Tokenizer,
  template: Template,
): Promise<ArrayLike<number>> {
  if (typeof prompt === "object" && "ids" in prompt) return prompt.ids;
  const conversation = turnsOf(prompt);
  if (conversation !== undefined)
    return encodePrompt(tokenizer, template.renderPrompt(conversation.turns, conversation.tools));
  return tokenizer.encodeWithPrefix((prompt as { text: string }).text);
}
