// Python's literals → values: lists, tuples, dictionaries, strings, numbers, True, False, None. Not bytes, sets, complex
// numbers, triple quotes or strings side by side, which no ranking has.

const TOKEN =
  /\s*(?:([[\]{}(),:])|("(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')|([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?![\w.])|(True|False|None)\b)/iy;

const CONSTANTS: Readonly<Record<string, boolean | null>> = { True: true, False: false, None: null };

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "\n": "",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** The value of a text that is one literal and nothing else; undefined for any other. */
export function parsePythonLiteral(text: string): unknown {
  try {
    return new Reader(text).whole();
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return undefined;
    throw error;
  }
}

class Reader {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    const words = text.trim();
    TOKEN.lastIndex = 0;
    for (let end = 0; end < words.length; end = TOKEN.lastIndex) {
      const match = TOKEN.exec(words);
      if (match === null) throw new SyntaxError(`at ${end}`);
      this.#tokens.push(match[0].trim());
    }
  }

  whole(): unknown {
    const value = this.#value();
    if (this.#at < this.#tokens.length) throw new SyntaxError("more follows");
    return value;
  }

  #value(): unknown {
    const token = this.#next();
    if (token === "[") return this.#items("]");
    if (token === "(") return this.#items(")");
    if (token === "{") return Object.fromEntries(this.#entries());
    if (/^["']/.test(token)) return unquoted(token);
    if (Object.hasOwn(CONSTANTS, token)) return CONSTANTS[token];
    if (/^[+\-.\d]/.test(token)) return Number(token);
    throw new SyntaxError(token);
  }

  #items(close: string): unknown[] {
    const items: unknown[] = [];
    while (!this.#take(close)) {
      items.push(this.#value());
      if (!this.#take(",") && this.#peek() !== close) throw new SyntaxError("a comma is missing");
    }
    return items;
  }

  *#entries(): Generator<[string, unknown]> {
    while (!this.#take("}")) {
      const key = this.#value();
      if (typeof key !== "string" || !this.#take(":")) throw new SyntaxError("a key is missing");
      yield [key, this.#value()];
      if (!this.#take(",") && this.#peek() !== "}") throw new SyntaxError("a comma is missing");
    }
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #next(): string {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new SyntaxError("it ends too soon");
    return token;
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }
}

function unquoted(token: string): string {
  return token.slice(1, -1).replaceAll(/\\([\s\S])/g, (whole, letter: string) => ESCAPES[letter] ?? whole);
}
