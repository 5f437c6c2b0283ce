// JSON inside templates as Python has it. A text of JSON becomes Jinja's values with numbers spelled as Python spells them
// (1.0, 1e-05, all digits of a long integer) and keys in their order; JavaScript's own objects keep neither.
import { Environment } from "@huggingface/jinja";

/** JSON as a variable of a template: what it spells, not what JavaScript would make of it. */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What is used of the library's classes, whose declarations TypeScript can't resolve here. */
export interface JinjaValue {
  readonly type: string;
  readonly value: unknown;
}

type ValueClass = new (value: unknown) => JinjaValue;

const NewVariables = Environment as unknown as new () => { set(name: string, value: unknown): JinjaValue };

/** A value as the library makes it. */
function libraryValue(value: unknown): JinjaValue {
  return new NewVariables().set("value", value);
}

function classOf(value: unknown): ValueClass {
  return libraryValue(value).constructor as ValueClass;
}

const [Text, List, Members] = [classOf(""), classOf([]), classOf({})];
const [Float, Integer, Truth, Nothing] = [classOf(0.5), classOf(1), classOf(true), classOf(null)];

/** A variable's value: plain data, with JsonText anywhere in it. */
export function jinjaValueOf(input: unknown): JinjaValue {
  if (typeof input === "string") return new Text(input);
  if (input instanceof JsonText) return new Reader(input.text).read();
  if (Array.isArray(input)) return new List(input.map(jinjaValueOf));
  if (typeof input === "object" && input !== null)
    return new Members(new Map(Object.entries(input).map(([key, value]) => [key, jinjaValueOf(value)])));
  return libraryValue(input);
}

/** What Python would print where the library prints otherwise. */
function spelled(value: JinjaValue, text: string): JinjaValue {
  return Object.assign(value, { spelling: text, toString: () => text });
}

/** Reads JSON that is known to be valid. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JinjaValue {
    const token = this.#token();
    if (token === "{") return new Members(new Map(this.#members()));
    if (token === "[") return new List([...this.#items()]);
    if (token.startsWith('"')) return new Text(JSON.parse(token));
    if (token === "null") return new Nothing(null);
    if (token === "true" || token === "false")
      return Object.assign(new Truth(token === "true"), {
        toString: () => (token === "true" ? "True" : "False"),
      });
    if (/^-?\d+$/.test(token)) {
      const number = Number(token) + 0;
      const text = token === "-0" ? "0" : token;
      return String(number) === text ? new Integer(number) : spelled(new Integer(number), text);
    }
    const text = pythonFloat(Number(token));
    return spelled(new Float(Number(token)), text);
  }

  *#members(): Generator<[string, JinjaValue]> {
    for (let token = this.#token(); token !== "}"; token = this.#token()) {
      if (token === ",") continue;
      this.#token();
      yield [JSON.parse(token) as string, this.read()];
    }
  }

  *#items(): Generator<JinjaValue> {
    for (
      let start = this.#at, token = this.#token();
      token !== "]";
      start = this.#at, token = this.#token()
    ) {
      if (token === ",") continue;
      this.#at = start;
      yield this.read();
    }
  }

  #token(): string {
    TOKEN.lastIndex = this.#at;
    const found = TOKEN.exec(this.#text);
    if (found === null) throw new SyntaxError(`not JSON: ${this.#text.slice(this.#at, this.#at + 20)}`);
    this.#at = TOKEN.lastIndex;
    return found[1]!;
  }
}

const TOKEN = /\s*("(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+)/sy;

/** repr() of a float: the shortest digits that give it back, with an exponent below -4 and from 16 on. */
export function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const [mantissa = "", power = ""] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${mantissa}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  const sign = value < 0 ? "-" : "";
  const digits = mantissa.replace(/[-.]/g, "");
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const padded = digits.padEnd(exponent + 1, "0");
  return `${sign}${padded.slice(0, exponent + 1)}.${padded.slice(exponent + 1) || "0"}`;
}

/** Private-use characters around a number's spelling, which stand in a text as they are. */
const [OPEN, CLOSE] = ["\ue0e0", "\ue0e1"];

/** A value with every number that has a spelling of its own as a marked text, for `unmarked` to take the marks off. */
export function marked(value: JinjaValue): JinjaValue {
  const { spelling } = value as { spelling?: string };
  if (spelling !== undefined) return new Text(`${OPEN}${spelling}${CLOSE}`);
  if (!hasSpelling(value)) return value;
  if (Array.isArray(value.value)) return new List(value.value.map(marked));
  const members = Array.from(
    value.value as Map<string, JinjaValue>,
    ([key, each]) => [key, marked(each)] as const,
  );
  return new Members(new Map(members));
}

function hasSpelling(value: JinjaValue): boolean {
  if ("spelling" in value) return true;
  if (Array.isArray(value.value)) return value.value.some(hasSpelling);
  return (
    value.value instanceof Map && [...(value.value as Map<string, JinjaValue>).values()].some(hasSpelling)
  );
}

/** JSON text with the numbers that `marked` made texts of. */
export function unmarked(text: string): string {
  return text.replaceAll(`"${OPEN}`, "").replaceAll(`${CLOSE}"`, "");
}

export function textValue(text: string): JinjaValue {
  return new Text(text);
}
