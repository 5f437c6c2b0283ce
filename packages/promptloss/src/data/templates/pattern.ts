// The little language of template strings: text with placeholders in braces. `{{` and `}}` are braces.
// Reading only; what a placeholder stands for is decided where a pattern is rendered.
import { TemplateError } from "./errors.ts";

/**
 * `bos`: the tokenizer's BOS. `stop`: its EOS, or the text after a colon, as in `{stop:<|im_end|>}`. `begin`:
 * where the model takes over, `output` where it is left out. The others are the row's texts.
 */
export const PLACEHOLDERS = ["bos", "stop", "begin", "system", "instruction", "input", "output"] as const;

export type Placeholder = (typeof PLACEHOLDERS)[number];

export type PatternPiece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "slot"; readonly slot: Placeholder; readonly argument: string | undefined };

export type Pattern = readonly PatternPiece[];

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}

/**
 * Reads a template string.
 * @param name the template's name, for errors
 * @throws {TemplateError} on an unknown placeholder or a lone brace
 */
export function parsePattern(name: string, source: string): Pattern {
  const pieces: PatternPiece[] = [];
  let text = "";
  let cursor = 0;
  for (const match of source.matchAll(TOKEN)) {
    text += source.slice(cursor, match.index);
    cursor = match.index + match[0].length;
    if (match[0] === "{{" || match[0] === "}}") {
      text += match[0][0];
      continue;
    }
    const [slot, argument] = readPlaceholder(name, match[0], match[1]);
    if (text !== "") pieces.push({ kind: "text", text });
    text = "";
    pieces.push({ kind: "slot", slot, argument });
  }
  text += source.slice(cursor);
  if (text !== "") pieces.push({ kind: "text", text });
  return pieces;
}

function readPlaceholder(
  name: string,
  written: string,
  inside: string | undefined,
): [Placeholder, string | undefined] {
  if (inside === undefined) {
    throw new TemplateError(name, `a lone ${JSON.stringify(written)}`, {
      hint: "Write {{ and }} for braces that are meant as text.",
    });
  }
  const colon = inside.indexOf(":");
  const slot = colon < 0 ? inside : inside.slice(0, colon);
  const argument = colon < 0 ? undefined : inside.slice(colon + 1);
  if (!isPlaceholder(slot) || (argument !== undefined && (slot !== "stop" || argument === ""))) {
    const known = PLACEHOLDERS.map((placeholder) => `{${placeholder}}`).join(" ");
    throw new TemplateError(name, `unknown placeholder ${JSON.stringify(written)}`, {
      hint: `The placeholders are ${known}; write {{ and }} for braces that are meant as text.`,
    });
  }
  return [slot, argument];
}

/** Whether a pattern has a placeholder. */
export function hasSlot(pattern: Pattern, slot: Placeholder): boolean {
  return pattern.some((piece) => piece.kind === "slot" && piece.slot === slot);
}
