// Parses a model formula, `response ~ terms`, into a syntax tree by precedence climbing. Precedence as in R, lowest
// first: ~, |, + -, * /, :, unary sign, ^. What the tree means is terms.ts's business.
import { FormulaError } from "../errors.ts";
import { type Token, tokenize } from "./tokens.ts";

interface Place {
  start: number;
  end: number;
}

export type BinaryOperator = "+" | "-" | "*" | "/" | ":" | "^" | "|" | "||";

export type Node = Place &
  (
    | { type: "number"; value: number }
    | { type: "name"; name: string }
    | { type: "call"; name: string; args: Node[] }
    | { type: "group"; inner: Node }
    | { type: "sign"; sign: "+" | "-"; operand: Node }
    | { type: "binary"; operator: BinaryOperator; left: Node; right: Node }
  );

export interface ParsedFormula {
  source: string;
  response: Node;
  predictors: Node;
}

const precedence: Record<string, number> = {
  "|": 1,
  "||": 1,
  "+": 2,
  "-": 2,
  "*": 3,
  "/": 3,
  ":": 4,
  "^": 6,
};
const signPrecedence = 5;

/** The most characters of a formula, and the most brackets, signs and powers within each other. */
const LONGEST = 4000;
const DEEPEST = 100;

/** Parses `response ~ terms`. @throws {FormulaError} with the place of the first fault */
export function parseFormula(source: string): ParsedFormula {
  if (source.length > LONGEST)
    throw new FormulaError(
      `a formula has at most ${LONGEST.toLocaleString("en-US")} characters`,
      `${source.slice(0, 60)}…`,
      0,
    );
  return new Parser(source).formula();
}

class Parser {
  readonly #source: string;
  readonly #tokens: Token[];
  #next = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = tokenize(source);
  }

  formula(): ParsedFormula {
    const response = this.#expression(2);
    const tilde = this.#take();
    if (tilde.text !== "~") {
      throw this.#fault(
        `expected "~" after the response, found ${describe(tilde)}`,
        tilde,
        "write score ~ wp + (1 | model)",
      );
    }
    const predictors = this.#expression(2);
    const rest = this.#take();
    if (rest.text === "|" || rest.text === "||") {
      throw this.#fault("a random effect needs brackets around it", rest, "write (1 + wp | group)");
    }
    if (rest.kind !== "end") throw this.#fault(`unexpected ${describe(rest)}`, rest);
    return { source: this.#source, response, predictors };
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== "end") this.#next++;
    return token;
  }

  #fault(problem: string, at: { start: number }, hint?: string): FormulaError {
    return new FormulaError(problem, this.#source, at.start, { hint });
  }

  #expression(lowest: number): Node {
    if (++this.#depth > DEEPEST)
      throw this.#fault(`lies deeper than ${DEEPEST} brackets, signs and powers`, this.#peek());
    const node = this.#operations(lowest);
    this.#depth--;
    return node;
  }

  #operations(lowest: number): Node {
    let left = this.#operand();
    for (;;) {
      const token = this.#peek();
      const level = token.kind === "operator" ? precedence[token.text] : undefined;
      if (level === undefined || level < lowest) return left;
      this.#next++;
      // ^ binds to the right, the others to the left.
      const right = this.#expression(token.text === "^" ? level : level + 1);
      const operator = token.text as BinaryOperator;
      left = { type: "binary", operator, left, right, start: left.start, end: right.end };
    }
  }

  #operand(): Node {
    const token = this.#take();
    const { start, end } = token;
    if (token.kind === "number") return { type: "number", value: Number(token.text), start, end };
    if (token.kind === "name") {
      return this.#peek().text === "(" && this.#peek().start === end
        ? this.#call(token)
        : { type: "name", name: token.text, start, end };
    }
    if (token.text === "+" || token.text === "-") {
      const operand = this.#expression(signPrecedence);
      return { type: "sign", sign: token.text, operand, start, end: operand.end };
    }
    if (token.text === "(") {
      const inner = this.#expression(1);
      return { type: "group", inner, start, end: this.#close(token) };
    }
    throw this.#fault(`expected a column, a number or a bracket, found ${describe(token)}`, token);
  }

  #call(name: Token): Node {
    const open = this.#take();
    const args: Node[] = [];
    if (this.#peek().text !== ")") {
      do args.push(this.#expression(2));
      while (this.#peek().text === "," && this.#take());
    }
    return { type: "call", name: name.text, args, start: name.start, end: this.#close(open) };
  }

  #close(open: Token): number {
    const token = this.#take();
    if (token.text === ")") return token.end;
    throw this.#fault(
      `expected ")" for the "(" at position ${open.start + 1}, found ${describe(token)}`,
      token,
    );
  }
}

function describe(token: Token): string {
  return token.kind === "end" ? "the end" : JSON.stringify(token.text);
}
