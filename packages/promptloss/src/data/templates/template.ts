// From a recipe's `template` to a Template: a name, "tokenizer" for the model's own chat template, a string
// with placeholders, or strings for each kind of turn.
import type { Tokenizer } from "../tokenizer/index.ts";
import { ChatTemplate, type ChatTemplateOptions } from "./chat-template.ts";
import { TemplateError } from "./errors.ts";
import { NAMED_TEMPLATES, type TemplateName, type TemplateStrings } from "./named.ts";
import { customStrings, PatternTemplate } from "./pattern-template.ts";
import type { Template } from "./rendering.ts";

export type TemplateSpec = TemplateName | "tokenizer" | (string & {}) | TemplateStrings;

function isName(name: string): name is TemplateName {
  return Object.hasOwn(NAMED_TEMPLATES, name);
}

const STRING_KEYS: Readonly<Record<keyof TemplateStrings, "string" | "boolean">> = {
  start: "string",
  system: "string",
  userWithSystem: "string",
  user: "string",
  userWithInput: "string",
  assistant: "string",
  singleTurn: "boolean",
  trim: "boolean",
};

function checkStrings(strings: TemplateStrings): void {
  for (const [key, value] of Object.entries(strings)) {
    const expected = (STRING_KEYS as Record<string, string>)[key];
    if (expected === undefined) {
      throw new TemplateError("custom", `unknown key ${JSON.stringify(key)}`, {
        hint: `The keys are ${Object.keys(STRING_KEYS).join(", ")}.`,
      });
    }
    if (typeof value !== expected) throw new TemplateError("custom", `${key} should be a ${expected}`);
  }
  for (const key of ["user", "assistant"] as const) {
    if (typeof strings[key] !== "string") throw new TemplateError("custom", `lacks the ${key} string`);
  }
}

/**
 * Makes the template that a recipe names.
 * @throws {TemplateError} for an unknown name, a bad string or a tokenizer without a chat template
 * @example
 * ```ts
 * import { createTemplate, loadTokenizer } from "promptloss";
 *
 * const template = createTemplate("alpaca", await loadTokenizer("model"));
 * console.log(template.warnings);
 * ```
 */
export function createTemplate(
  spec: TemplateSpec,
  tokenizer: Tokenizer,
  options: ChatTemplateOptions = {},
): Template {
  if (spec === "tokenizer") return new ChatTemplate(tokenizer, options);
  const [unused] = Object.keys(options);
  if (unused !== undefined) {
    throw new TemplateError(typeof spec === "string" ? spec : "custom", `takes no ${unused}`, {
      hint: "Only template: tokenizer has variables and can rewrite history.",
    });
  }
  if (typeof spec !== "string") {
    checkStrings(spec);
    return new PatternTemplate("custom", spec, tokenizer);
  }
  if (isName(spec)) return new PatternTemplate(spec, NAMED_TEMPLATES[spec], tokenizer);
  if (!spec.includes("{")) {
    const names = [...Object.keys(NAMED_TEMPLATES), "tokenizer"].join(", ");
    throw new TemplateError(spec, "there is no such template", {
      hint: `The names are ${names}; a string of your own holds {instruction} and {output}.`,
    });
  }
  return new PatternTemplate("custom", customStrings(spec), tokenizer);
}
