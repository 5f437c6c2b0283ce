// Jinja whose work and output are bounded: a template comes with a model or a task from elsewhere, and one that loops a
// billion times would hold the program for ever. Hugging Face's interpreter, which is synchronous, is counted step by
// step; what it makes is measured as it is made.
import { Environment, Interpreter, parse, Template, tokenize } from "@huggingface/jinja";
import { jinjaValueOf, marked, textValue, unmarked } from "./jinja-json.ts";

export interface JinjaLimits {
  /** Expressions and statements evaluated, and items gone through. A conversation of a thousand messages takes some 10⁵, and a million a second or more. */
  readonly steps: number;
  /** Characters in one text. */
  readonly characters: number;
  /** Items in one list. */
  readonly items: number;
}

export const JINJA_LIMITS: JinjaLimits = { steps: 2_000_000, characters: 2 ** 28, items: 1_000_000 };

/** A template that does or makes more than it may. */
export class JinjaLimitError extends Error {}

/** What is used of the library's classes, whose declarations TypeScript can't resolve here. */
interface Node {
  readonly type: string;
}

interface Value {
  readonly type: string;
  readonly value: unknown;
}

interface Variables {
  readonly variables: Map<string, unknown>;
  set(name: string, value: unknown): unknown;
}

interface Running {
  run(program: unknown): Value;
  evaluate(node: Node | undefined, environment: Variables): Value;
}

const NewVariables = Environment as unknown as new () => Variables;
const NewInterpreter = Interpreter as unknown as new (environment: Variables) => Running;

/** Steps for each item of a list that an operation makes or looks through. */
const STEPS_PER_ITEM = 1 / 8;
/** Steps for each turn of a loop, which has a scope and nine variables of its own. */
const STEPS_PER_TURN = 4;
const STEPS_PER_CHARACTER = 1 / 1024;

function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** A template that can be rendered many times. */
export class BoundedJinja {
  readonly #program: unknown;
  readonly #limits: JinjaLimits;
  #steps = 0;

  /** @throws {Error} where the source is not Jinja */
  constructor(source: string, limits: JinjaLimits = JINJA_LIMITS) {
    this.#program = parse(tokenize(source, { lstrip_blocks: true, trim_blocks: true }));
    this.#limits = limits;
  }

  /** The syntax tree. */
  get parsed(): Template["parsed"] {
    return this.#program as Template["parsed"];
  }

  /** Of the last rendering. */
  get steps(): number {
    return Math.floor(this.#steps);
  }

  /**
   * @throws {JinjaLimitError} beyond a limit
   * @throws {Error} that the template raises, or for what it can't do
   */
  render(variables: Readonly<Record<string, unknown>>): string {
    const environment = globals(this.#limits);
    for (const [name, value] of Object.entries(variables))
      environment.variables.set(name, jinjaValueOf(value));
    const interpreter = new CountingInterpreter(environment, this.#limits);
    try {
      return interpreter.run(this.#program).value as string;
    } catch (error) {
      // V8's: the stack is used up, or a text longer than it can hold.
      if (error instanceof RangeError)
        throw new JinjaLimitError(
          /stack/.test(error.message) ? "nests too deeply, or calls itself without end" : error.message,
          { cause: error },
        );
      throw error;
    } finally {
      this.#steps = interpreter.steps;
    }
  }
}

class CountingInterpreter extends NewInterpreter {
  steps = 0;
  readonly #limits: JinjaLimits;
  /** Expressions whose items an enclosing one goes through, with what each item costs. */
  readonly #costs = new WeakMap<object, number>();
  /** Expressions that become JSON, whose numbers are spelled as Python spells them. */
  readonly #written = new WeakSet<object>();

  constructor(environment: Variables, limits: JinjaLimits) {
    super(environment);
    this.#limits = limits;
  }

  override evaluate(node: Node | undefined, environment: Variables): Value {
    if (node === undefined) return super.evaluate(node, environment);
    this.#charge(1);
    this.#noteOperands(node);
    const evaluated = super.evaluate(node, environment);
    const value = this.#written.has(node)
      ? marked(evaluated)
      : isToJson(node)
        ? textValue(unmarked(evaluated.value as string))
        : evaluated;
    const { size, steps } = this.#measure(value);
    const cost = this.#costs.get(node);
    if (cost !== undefined) this.#charge(size * cost);
    // A name or a literal makes nothing new.
    else if (node.type !== "Identifier" && !node.type.endsWith("Literal")) this.#charge(steps);
    return value;
  }

  #charge(steps: number): void {
    this.steps += steps;
    if (this.steps > this.#limits.steps)
      throw new JinjaLimitError(`takes more than ${count(this.#limits.steps)} steps`);
  }

  #noteOperands(node: Node): void {
    const { type, iterable, operand, right } = node as unknown as Readonly<Record<string, unknown>>;
    if (type === "For") {
      const { lhs = iterable } = iterable as { lhs?: unknown };
      this.#costs.set(lhs as object, STEPS_PER_TURN);
    } else if (type === "FilterExpression") {
      this.#costs.set(operand as object, STEPS_PER_ITEM);
      if (isToJson(node)) this.#written.add(operand as object);
    } else if (type === "BinaryExpression") this.#costs.set(right as object, STEPS_PER_ITEM);
  }

  #measure({ value }: Value): { size: number; steps: number } {
    const { characters, items } = this.#limits;
    if (typeof value === "string") {
      if (value.length > characters)
        throw new JinjaLimitError(`makes a text of more than ${count(characters)} characters`);
      const steps = value.length * STEPS_PER_CHARACTER;
      return { size: steps / STEPS_PER_ITEM, steps };
    }
    const size = Array.isArray(value) ? value.length : value instanceof Map ? value.size : 0;
    if (size > items) throw new JinjaLimitError(`makes a list of more than ${count(items)} items`);
    return { size, steps: size * STEPS_PER_ITEM };
  }
}

/** Whether an expression is `… | tojson`, with arguments or without. */
function isToJson(node: Node): boolean {
  const { type, filter } = node as unknown as { type: string; filter?: Filter };
  return type === "FilterExpression" && (filter?.callee?.value ?? filter?.value) === "tojson";
}

interface Filter {
  readonly value?: unknown;
  readonly callee?: { readonly value?: unknown };
}

/** The names that every template has, as in Hugging Face's own rendering. */
function globals(limits: JinjaLimits): Variables {
  const environment = new NewVariables();
  for (const [name, value] of [
    ["false", false],
    ["true", true],
    ["none", null],
    ["False", false],
    ["True", true],
    ["None", null],
    ["range", boundedRange(limits.items)],
    ["strftime_now", now],
    [
      "raise_exception",
      (message: string) => {
        throw new Error(message);
      },
    ],
  ] as const)
    environment.set(name, value);
  return environment;
}

/** The date, in the library's own words: it has them only as a template's. */
function now(format: string): string {
  return CLOCK.render({ format });
}

const CLOCK = new Template("{{ strftime_now(format) }}");

function boundedRange(items: number) {
  return (...given: number[]): number[] => {
    const [start, stop, step = 1] = given.length === 1 ? [0, given[0]!] : (given as [number, number, number]);
    if (step === 0) throw new Error("range() step must not be zero");
    const length = Math.max(0, Math.ceil((stop - start) / step));
    if (length > items) throw new JinjaLimitError(`makes a range of ${count(length)} numbers`);
    return Array.from({ length: Number.isNaN(length) ? 0 : length }, (_, i) => start + i * step);
  };
}
