// Splits a model formula into tokens with their places. Knows names, `quoted names`, numbers and operators; knows
// nothing of what they mean.
import { FormulaError } from "../errors.ts";

export type TokenKind = "name" | "number" | "operator" | "end";

export interface Token {
  kind: TokenKind;
  /** The name without its back-ticks, the number's or the operator's text. */
  text: string;
  /** Where it begins, in UTF-16 units from 0. */
  start: number;
  /** Where it ends, exclusive. */
  end: number;
}

const patterns: [TokenKind, RegExp][] = [
  ["number", /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y],
  ["name", /[\p{L}_][\p{L}\p{N}_.]*|`[^`]+`/uy],
  ["operator", /\|\||[~|+\-*/:^(),]/y],
];

/** Tokens of `formula`, ended by one of kind `end`. @throws {FormulaError} at the first character that fits nothing */
export function tokenize(formula: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < formula.length) {
    if (/\s/.test(formula[at]!)) {
      at++;
      continue;
    }
    const token = tokenAt(formula, at);
    if (token === undefined) throw unexpectedCharacter(formula, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: "end", text: "", start: formula.length, end: formula.length });
  return tokens;
}

function tokenAt(formula: string, start: number): Token | undefined {
  for (const [kind, pattern] of patterns) {
    pattern.lastIndex = start;
    const match = pattern.exec(formula)?.[0];
    if (match === undefined) continue;
    const text = match.startsWith("`") ? match.slice(1, -1) : match;
    return { kind, text, start, end: start + match.length };
  }
  return undefined;
}

function unexpectedCharacter(formula: string, position: number): FormulaError {
  const character = String.fromCodePoint(formula.codePointAt(position)!);
  return new FormulaError(`unexpected ${JSON.stringify(character)}`, formula, position, {
    hint:
      character === "`"
        ? "close the back-tick"
        : "put column names with other characters between back-ticks: `my column`",
  });
}
