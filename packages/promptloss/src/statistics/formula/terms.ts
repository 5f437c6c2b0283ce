// Expands a parsed formula into its terms by R's algebra: + - * / : and crossing to a power, with random effects
// taken out. One difference from R, on purpose: `x^2` is the square of the column x, as `I(x^2)` is, not x crossed
// with itself, which would be x. Offsets are refused.
import { FormulaError } from "../errors.ts";
import { deparse } from "./deparse.ts";
import { type Node, type ParsedFormula, parseFormula } from "./parse.ts";

/** A product of variables, each by its text; an empty one is the intercept. */
export interface Term {
  variables: readonly string[];
}

export interface RandomTerm {
  /** The text of the grouping, `model` or `model:benchmark`. */
  group: string;
  /** Columns whose combinations are the groups. */
  groupColumns: readonly Node[];
  terms: readonly Term[];
  intercept: boolean;
  /** `||`: no correlation between the effects. */
  uncorrelated: boolean;
}

export interface ModelFormula {
  source: string;
  response: Node;
  intercept: boolean;
  /** Without the intercept; main effects first, then by degree, each degree in the order of writing. */
  terms: readonly Term[];
  random: readonly RandomTerm[];
  /** The expression behind each variable's text. */
  variables: ReadonlyMap<string, Node>;
}

interface TermSet {
  intercept: boolean | undefined;
  terms: Term[];
}

/** Reads a formula such as `score ~ wp + wp^2 + (1 + wp | model)`. @throws {FormulaError} */
export function readFormula(source: string): ModelFormula {
  const parsed = parseFormula(source);
  const expander = new Expander(parsed);
  const random: Node[] = [];
  const fixed = withoutRandom(parsed.predictors, random);
  const set = fixed === undefined ? { intercept: undefined, terms: [] } : expander.expand(fixed);
  return {
    source,
    response: unwrap(parsed.response),
    intercept: set.intercept ?? true,
    terms: expander.ordered(set.terms),
    random: random.flatMap((node) => expander.randomTerms(node)),
    variables: expander.variables,
  };
}

/** Lifts the `( … | g)` out of a sum; what remains is the fixed part. */
function withoutRandom(node: Node, found: Node[]): Node | undefined {
  if (node.type === "group" && isBar(node.inner)) {
    found.push(node.inner);
    return undefined;
  }
  if (node.type !== "binary" || (node.operator !== "+" && node.operator !== "-")) return node;
  const left = withoutRandom(node.left, found);
  if (node.operator === "-") {
    if (left !== undefined) return { ...node, left };
    return { type: "sign", sign: "-", operand: node.right, start: node.start, end: node.end };
  }
  const right = withoutRandom(node.right, found);
  if (left === undefined || right === undefined) return left ?? right;
  return { ...node, left, right };
}

function isBar(node: Node): node is Node & { type: "binary" } {
  return node.type === "binary" && (node.operator === "|" || node.operator === "||");
}

function unwrap(node: Node): Node {
  return node.type === "group" ? unwrap(node.inner) : node;
}

class Expander {
  readonly variables = new Map<string, Node>();
  readonly #source: string;

  constructor({ source }: ParsedFormula) {
    this.#source = source;
  }

  expand(node: Node): TermSet {
    switch (node.type) {
      case "number":
        if (node.value === 0 || node.value === 1) return { intercept: node.value === 1, terms: [] };
        throw this.#fault(
          `${node.value} is no term`,
          node,
          "only 1 (with intercept) and 0 (without) are numbers on their own",
        );
      case "name":
        return this.#variable(node);
      case "call":
        if (node.name === "offset")
          throw this.#fault("offsets are not supported", node, "subtract it from the response");
        return this.#variable(node);
      case "group":
        return this.expand(node.inner);
      case "sign":
        return node.sign === "+" ? this.expand(node.operand) : this.#remove(emptySet(), node.operand);
      case "binary":
        return this.#binary(node);
    }
  }

  randomTerms(bar: Node): RandomTerm[] {
    if (bar.type !== "binary") throw this.#fault("expected a random effect", bar);
    const { intercept, terms } = this.expand(bar.left);
    return this.#groupings(unwrap(bar.right)).map((groupColumns) => ({
      group: groupColumns.map(deparse).join(":"),
      groupColumns,
      terms: this.ordered(terms),
      intercept: intercept ?? true,
      uncorrelated: bar.operator === "||",
    }));
  }

  /** By degree; the variables of each in the order in which the formula first names them, as R has them. */
  ordered(terms: readonly Term[]): Term[] {
    const place = new Map([...this.variables.keys()].map((text, i) => [text, i]));
    return terms
      .map(({ variables }) => ({ variables: [...variables].sort((a, b) => place.get(a)! - place.get(b)!) }))
      .sort((a, b) => a.variables.length - b.variables.length);
  }

  /** `a` is one grouping, `a:b` one of their combinations, `a/b` both b:a and a. */
  #groupings(node: Node): Node[][] {
    if (node.type === "name") return [[node]];
    if (node.type === "binary" && (node.operator === ":" || node.operator === "/")) {
      const left = this.#groupings(unwrap(node.left));
      const right = this.#groupings(unwrap(node.right));
      if (node.operator === ":") return right.map((columns) => [...left.at(-1)!, ...columns]);
      // R writes the inner one first: a/b is b:a and a.
      return [...right.map((columns) => [...columns, ...left[0]!]), ...left];
    }
    throw this.#fault(`${deparse(node)} is no grouping`, node, "after the bar write a column, a:b or a/b");
  }

  #variable(node: Node): TermSet {
    const text = deparse(node);
    this.variables.set(text, node);
    return { intercept: undefined, terms: [{ variables: [text] }] };
  }

  #binary(node: Node & { type: "binary" }): TermSet {
    const { operator, left, right } = node;
    if (operator === "|" || operator === "||") {
      throw this.#fault("a random effect can only be added", node, "write … + (1 | group)");
    }
    if (operator === "^") return this.#power(left, right, node);
    if (operator === "-") return this.#remove(this.expand(left), right);
    const a = this.expand(left);
    const b = this.expand(right);
    if (operator === "+") return { intercept: b.intercept ?? a.intercept, terms: union(a.terms, b.terms) };
    if (a.terms.length === 0 || b.terms.length === 0) {
      throw this.#fault(`"${operator}" needs columns on both sides`, node, "arithmetic goes inside I( … )");
    }
    const crossed = this.#products(a.terms, b.terms, node);
    if (operator === ":") return { intercept: undefined, terms: crossed };
    if (operator === "*") return { intercept: undefined, terms: union(union(a.terms, b.terms), crossed) };
    const whole = { variables: [...new Set(a.terms.flatMap((term) => term.variables))] };
    return { intercept: undefined, terms: union(a.terms, this.#products([whole], b.terms, node)) };
  }

  #power(base: Node, exponent: Node, node: Node): TermSet {
    const degree = unwrap(exponent);
    if (degree.type !== "number") throw this.#fault("a power needs a number", exponent);
    const inside = unwrap(base);
    if (inside.type === "name" || inside.type === "call")
      return this.#variable({ ...node, left: inside } as Node);
    if (!Number.isInteger(degree.value) || degree.value < 1 || degree.value > 8) {
      throw this.#fault(
        "terms are crossed to a whole degree from 1 to 8",
        exponent,
        "arithmetic goes inside I( … )",
      );
    }
    const { terms } = this.expand(base);
    let all = terms;
    for (let i = 1; i < degree.value; i++) all = union(all, this.#products(all, terms, node));
    return { intercept: undefined, terms: all };
  }

  #remove(from: TermSet, node: Node): TermSet {
    const gone = this.expand(node);
    const keys = new Set(gone.terms.map(termKey));
    return {
      intercept: gone.intercept === undefined ? from.intercept : !gone.intercept,
      terms: from.terms.filter((term) => !keys.has(termKey(term))),
    };
  }

  #products(a: readonly Term[], b: readonly Term[], node: Node): Term[] {
    if (a.length * b.length > MOST_TERMS)
      throw this.#fault(`crosses to more than ${MOST_TERMS.toLocaleString("en-US")} terms`, node);
    return products(a, b);
  }

  #fault(problem: string, node: Node, hint?: string): FormulaError {
    return new FormulaError(problem, this.#source, node.start, { hint });
  }
}

/** Far more than any table has rows for; crossing doubles them with every column. */
const MOST_TERMS = 2000;

function emptySet(): TermSet {
  return { intercept: undefined, terms: [] };
}

/** The same for `a:b` and `b:a`. */
function termKey(term: Term): string {
  return [...term.variables].sort().join("\0");
}

function union(a: readonly Term[], b: readonly Term[]): Term[] {
  const seen = new Map(a.map((term) => [termKey(term), term]));
  for (const term of b) if (!seen.has(termKey(term))) seen.set(termKey(term), term);
  return [...seen.values()];
}

function products(a: readonly Term[], b: readonly Term[]): Term[] {
  const all = a.flatMap((x) => b.map((y) => ({ variables: [...new Set([...x.variables, ...y.variables])] })));
  return union([], all);
}
