// What can be asked of a text generator: an instruction, a conversation, a text as it is, or ids. The ids of an
// instruction are those that training puts before its completion.
import { z } from "zod";
import type { Turn } from "../../data/example.ts";
import { part, plainTurn, turn } from "../../data/rows/formats/turns.ts";
import type { Template } from "../../data/templates/index.ts";
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import { encodePrompt } from "../../data/tokens/index.ts";
import { GenerationError } from "../errors.ts";

export interface ChatTurn {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** A string is an instruction. */
export type TextPrompt =
  | string
  | { readonly instruction: string; readonly input?: string; readonly system?: string }
  | { readonly messages: readonly ChatTurn[] }
  /** Goes to the model without a template, behind BOS where the tokenizer puts one. */
  | { readonly text: string }
  | { readonly ids: ArrayLike<number> };

const chatTurn = z.object({ role: z.enum(["system", "user", "assistant"]), content: z.string() });

const promptSchema = z.union([
  z.string(),
  z.strictObject({
    instruction: z.string(),
    input: z.string().optional(),
    system: z.string().optional(),
  }),
  z.strictObject({ messages: z.array(chatTurn).min(1) }),
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
  if (typeof prompt === "object" && "messages" in prompt && prompt.messages.at(-1)!.role !== "user")
    refuse("the last message is not the user's", "there is nothing to complete");
}

/** The conversation of a prompt; undefined for one that needs no template. */
export function turnsOf(prompt: TextPrompt): Turn[] | undefined {
  if (typeof prompt === "string") return [plainTurn("user", prompt)];
  if ("messages" in prompt) return prompt.messages.map(({ role, content }) => plainTurn(role, content));
  if (!("instruction" in prompt)) return undefined;
  const { instruction, input = "", system = "" } = prompt;
  const parts = [part("instruction", instruction), ...(input === "" ? [] : [part("input", input)])];
  return [...(system === "" ? [] : [plainTurn("system", system)]), turn("user", parts)];
}

export async function promptIds(
  prompt: TextPrompt,
  tokenizer: Tokenizer,
  template: Template,
): Promise<ArrayLike<number>> {
  if (typeof prompt === "object" && "ids" in prompt) return prompt.ids;
  const turns = turnsOf(prompt);
  if (turns !== undefined) return encodePrompt(tokenizer, template.renderPrompt(turns));
  return tokenizer.encodeWithPrefix((prompt as { text: string }).text);
}
