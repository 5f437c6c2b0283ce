// A template of strings as Jinja, the language of the chat templates that tokenizers carry: what a server needs to lay
// out chats as training did. Written for Jinja2, minja and Hugging Face's interpreters alike: texts are string literals
// without white space control of their own, and a message's content is a string.
import { jinjaString } from "./jinja-text.ts";
import type { TemplateStrings } from "./named.ts";
import { hasSlot, type Pattern } from "./pattern.ts";

export interface PatternTexts {
  /** The template's name, for readers. */
  readonly name: string;
  readonly strings: TemplateStrings;
  readonly patterns: ReadonlyMap<string, Pattern>;
  /** The tokenizer's BOS and EOS; empty where it has none. */
  readonly bos: string;
  readonly eos: string;
  /** Written before what does not begin with BOS. */
  readonly prefix: string;
}

/** Why a template of single exchanges refuses other conversations, for whoever sends them. */
export const SINGLE_TURN = {
  message: "takes one user message, and neither a system message nor earlier turns",
  hint: "put all that the model should know into the user's message",
} as const;

/** A Jinja template that writes what the template of strings writes for turns without an input of their own. */
export function patternJinja(texts: PatternTexts): string {
  const { name, strings, patterns } = texts;
  const begin = beginning(texts);
  const trim = strings.trim === true ? " | trim" : "";
  const lines = [
    `{#- The template ${comment(name)}, as this model was trained with it. -#}`,
    ...(strings.singleTurn === true ? singleTurn(name) : []),
    ...(begin.always === "" ? [] : [write(begin.always)]),
    "{%- for message in messages -%}",
    `{%- set content = message['content']${trim} -%}`,
    "{%- if message['role'] == 'system' -%}",
    ...systemTurn(texts, begin.onFirst),
    "{%- elif message['role'] == 'user' -%}",
    ...userTurn(texts, begin.onFirst),
    "{%- elif message['role'] == 'assistant' -%}",
    ...begin.onFirst(patterns.get("assistant")!, 0),
    ...written(patterns.get("assistant")!, texts, "content"),
    "{%- else -%}",
    refuse("There are messages of the roles system, user and assistant."),
    "{%- endif -%}",
    "{%- endfor -%}",
    ...generationPrompt(texts),
  ];
  return lines.join("\n");
}

function comment(name: string): string {
  return name.replaceAll("#", "");
}

function write(text: string): string {
  return `{{- ${jinjaString(text)} -}}`;
}

function refuse(message: string): string {
  return `{{- raise_exception(${jinjaString(message)}) -}}`;
}

function singleTurn(name: string): string[] {
  return [
    "{%- if messages[0]['role'] != 'user' or (messages | length) > 2 or ((messages | length) == 2 and messages[1]['role'] != 'assistant') -%}",
    refuse(`The template ${name} ${SINGLE_TURN.message}; ${SINGLE_TURN.hint}.`),
    "{%- endif -%}",
  ];
}

/** What a pattern writes, neighboring texts joined. @param content the expression of the turn's words */
function written(pattern: Pattern, { bos, eos }: PatternTexts, content: string, system?: string): string[] {
  const lines: string[] = [];
  let text = "";
  const flush = (): void => {
    if (text !== "") lines.push(write(text));
    text = "";
  };
  for (const piece of pattern) {
    if (piece.kind === "text") text += piece.text;
    else if (piece.slot === "bos") text += bos;
    else if (piece.slot === "stop") text += piece.argument ?? eos;
    else if (piece.slot === "system" || piece.slot === "instruction" || piece.slot === "output") {
      flush();
      lines.push(`{{- ${piece.slot === "system" && system !== undefined ? system : content} -}}`);
    }
    // A chat's messages have no input of their own; where an answer begins writes nothing.
  }
  flush();
  return lines;
}

function systemTurn(texts: PatternTexts, onFirst: Beginning["onFirst"]): string[] {
  const { name, patterns } = texts;
  const system = patterns.get("system");
  if (system !== undefined) return [...onFirst(system, 0), ...written(system, texts, "content")];
  if (!patterns.has("userWithSystem"))
    return [refuse(`The template ${name} has no place for a system message.`)];
  return [
    "{%- if loop.last or messages[loop.index0 + 1]['role'] != 'user' -%}",
    refuse(`The template ${name} has a place for a system message before a user's, and nowhere else.`),
    "{%- endif -%}",
  ];
}

function userTurn(texts: PatternTexts, onFirst: Beginning["onFirst"]): string[] {
  const { patterns, strings } = texts;
  const user = patterns.get("user")!;
  const both = patterns.has("system") ? undefined : patterns.get("userWithSystem");
  const alone = [...onFirst(user, 0), ...written(user, texts, "content")];
  if (both === undefined) return alone;
  const trim = strings.trim === true ? " | trim" : "";
  return [
    "{%- if loop.index0 > 0 and messages[loop.index0 - 1]['role'] == 'system' -%}",
    `{%- set system = messages[loop.index0 - 1]['content']${trim} -%}`,
    ...onFirst(both, 1),
    ...written(both, texts, "content", "system"),
    "{%- else -%}",
    ...alone,
    "{%- endif -%}",
  ];
}

/** What stands before an answer that is asked for. */
function generationPrompt(texts: PatternTexts): string[] {
  const assistant = texts.patterns.get("assistant")!;
  const place = hasSlot(assistant, "begin") ? "begin" : "output";
  const end = assistant.findIndex((piece) => piece.kind === "slot" && piece.slot === place);
  const lines = written(assistant.slice(0, end), texts, "content");
  return lines.length === 0 ? [] : ["{%- if add_generation_prompt -%}", ...lines, "{%- endif -%}"];
}

interface Beginning {
  /** Before all turns. */
  readonly always: string;
  /** What goes before a turn that is the first to be written. @param index its message's place then */
  readonly onFirst: (pattern: Pattern, index: number) => string[];
}

const TURNS = ["system", "userWithSystem", "user", "assistant"] as const;

/** The start string, and the prefix where the text does not begin with BOS. */
function beginning(texts: PatternTexts): Beginning {
  const { patterns, prefix } = texts;
  const none = (): string[] => [];
  const start = leadingText(patterns.get("start") ?? [], texts);
  if (start !== "") return { always: lacksPrefix(start, texts) ? prefix + start : start, onFirst: none };
  const lacks = (pattern: Pattern): boolean => lacksPrefix(leadingText(pattern, texts), texts);
  const turns = TURNS.flatMap((key) => (patterns.has(key) ? [patterns.get(key)!] : []));
  if (turns.every(lacks)) return { always: prefix, onFirst: none };
  return {
    always: "",
    onFirst: (pattern, index) =>
      lacks(pattern) ? [`{%- if loop.index0 == ${index} -%}`, write(prefix), "{%- endif -%}"] : [],
  };
}

function lacksPrefix(text: string, { bos, prefix }: PatternTexts): boolean {
  return prefix !== "" && (bos === "" || !text.startsWith(bos));
}

/** What a pattern writes before the first of a turn's own words. */
function leadingText(pattern: Pattern, { bos, eos }: PatternTexts): string {
  let text = "";
  for (const piece of pattern) {
    if (piece.kind === "text") text += piece.text;
    else if (piece.slot === "bos") text += bos;
    else if (piece.slot === "stop") text += piece.argument ?? eos;
    else if (piece.slot !== "begin") break;
  }
  return text;
}
