// Languages of bytes, as expressions with derivatives (Brzozowski, "Derivatives of Regular Expressions", 1964): what may
// follow a byte is an expression again. References make grammars of them, so what is open in a nested value is the rest of
// a sequence. Equal expressions are one object, so the state of a text is one too, and what is known of it is found again.

export type Expression =
  /** Nothing matches. */
  | { readonly kind: "fail" }
  /** The empty text. */
  | { readonly kind: "empty" }
  /** One of these bytes. */
  | { readonly kind: "bytes"; readonly ranges: readonly ByteRange[] }
  | { readonly kind: "sequence"; readonly first: Expression; readonly rest: Expression }
  | { readonly kind: "choice"; readonly of: readonly Expression[] }
  /** From `least` to `most` times; `most` may be infinite. */
  | { readonly kind: "repeat"; readonly of: Expression; readonly least: number; readonly most: number }
  /** What the grammar has under a name. */
  | { readonly kind: "reference"; readonly name: string };

/** From one byte to another, both included. */
export type ByteRange = readonly [from: number, to: number];

interface Known {
  readonly id: number;
  readonly nullable: () => boolean;
  /** By byte; undefined where not asked for yet. */
  readonly derivatives: (Expression | undefined)[];
}

/** Makes and keeps expressions. Those of two grammars are not to be mixed. */
export class Grammar {
  readonly #made = new Map<string, Expression>();
  readonly #known = new Map<Expression, Known>();
  readonly #rules = new Map<string, Expression>();
  readonly fail: Expression = this.#make("!", { kind: "fail" });
  readonly empty: Expression = this.#make("", { kind: "empty" });

  bytes(...ranges: readonly ByteRange[]): Expression {
    return this.#make(`b${ranges.map(([from, to]) => `${from}-${to}`).join()}`, { kind: "bytes", ranges });
  }

  /** A text as it is, in UTF-8. */
  text(text: string): Expression {
    return this.sequence(...Array.from(Buffer.from(text), (byte) => this.bytes([byte, byte])));
  }

  sequence(...parts: readonly Expression[]): Expression {
    return parts.reduceRight((rest, first) => this.#pair(first, rest), this.empty);
  }

  choice(...parts: readonly Expression[]): Expression {
    const flat = new Set(parts.flatMap((part) => (part.kind === "choice" ? part.of : [part])));
    flat.delete(this.fail);
    const of = [...flat].sort((a, b) => this.#idOf(a) - this.#idOf(b));
    if (of.length === 0) return this.fail;
    if (of.length === 1) return of[0]!;
    return this.#make(`|${of.map((each) => this.#idOf(each)).join()}`, { kind: "choice", of });
  }

  repeat(of: Expression, least = 0, most = Number.POSITIVE_INFINITY): Expression {
    if (most === 0 || of === this.empty) return this.empty;
    if (of === this.fail) return least === 0 ? this.empty : this.fail;
    if (least === 1 && most === 1) return of;
    return this.#make(`*${this.#idOf(of)} ${least} ${most}`, { kind: "repeat", of, least, most });
  }

  optional(of: Expression): Expression {
    return this.choice(this.empty, of);
  }

  /** What stands under a name; it may be defined later. */
  reference(name: string): Expression {
    return this.#make(`@${name}`, { kind: "reference", name });
  }

  define(name: string, expression: Expression): void {
    this.#rules.set(name, expression);
  }

  has(name: string): boolean {
    return this.#rules.has(name);
  }

  /** Whether the empty text matches. */
  nullable(of: Expression): boolean {
    return this.#of(of).nullable();
  }

  /** What may follow a byte. */
  derivative(of: Expression, byte: number): Expression {
    const { derivatives } = this.#of(of);
    derivatives[byte] ??= this.#derive(of, byte);
    return derivatives[byte];
  }

  /** Names whose texts never end, since each holds itself. */
  endless(): string[] {
    const ending = new Set<string>();
    const ends = (of: Expression): boolean => {
      switch (of.kind) {
        case "fail":
          return false;
        case "empty":
        case "bytes":
          return true;
        case "sequence": {
          // Sequences are as long as texts: no recursion along them.
          let rest: Expression = of;
          for (; rest.kind === "sequence"; rest = rest.rest) if (!ends(rest.first)) return false;
          return ends(rest);
        }
        case "choice":
          return of.of.some(ends);
        case "repeat":
          return of.least === 0 || ends(of.of);
        case "reference":
          return ending.has(of.name);
      }
    };
    for (let more = true; more; ) {
      more = false;
      for (const [name, rule] of this.#rules)
        if (!ending.has(name) && ends(rule)) {
          ending.add(name);
          more = true;
        }
    }
    return [...this.#rules.keys()].filter((name) => !ending.has(name));
  }

  #pair(first: Expression, rest: Expression): Expression {
    if (first === this.fail || rest === this.fail) return this.fail;
    if (first === this.empty) return rest;
    if (rest === this.empty) return first;
    // Nested to the right, so that equal texts are equal expressions.
    if (first.kind === "sequence") return this.#pair(first.first, this.#pair(first.rest, rest));
    return this.#make(`.${this.#idOf(first)} ${this.#idOf(rest)}`, { kind: "sequence", first, rest });
  }

  #derive(of: Expression, byte: number): Expression {
    switch (of.kind) {
      case "fail":
      case "empty":
        return this.fail;
      case "bytes":
        return of.ranges.some(([from, to]) => byte >= from && byte <= to) ? this.empty : this.fail;
      case "sequence": {
        const within = this.#pair(this.derivative(of.first, byte), of.rest);
        return this.nullable(of.first) ? this.choice(within, this.derivative(of.rest, byte)) : within;
      }
      case "choice":
        return this.choice(...of.of.map((each) => this.derivative(each, byte)));
      case "repeat": {
        const least = this.nullable(of.of) ? 0 : Math.max(0, of.least - 1);
        return this.#pair(this.derivative(of.of, byte), this.repeat(of.of, least, of.most - 1));
      }
      case "reference":
        return this.derivative(this.#rule(of.name), byte);
    }
  }

  #isNullable(of: Expression): boolean {
    switch (of.kind) {
      case "fail":
      case "bytes":
        return false;
      case "empty":
        return true;
      case "sequence":
        return this.nullable(of.first) && this.nullable(of.rest);
      case "choice":
        return of.of.some((each) => this.nullable(each));
      case "repeat":
        return of.least === 0 || this.nullable(of.of);
      case "reference":
        return this.nullable(this.#rule(of.name));
    }
  }

  #rule(name: string): Expression {
    const rule = this.#rules.get(name);
    if (rule === undefined) throw new Error(`the grammar has no ${name}`);
    return rule;
  }

  #make(key: string, expression: Expression): Expression {
    const found = this.#made.get(key);
    if (found !== undefined) return found;
    let nullable: boolean | undefined;
    this.#made.set(key, expression);
    this.#known.set(expression, {
      id: this.#known.size,
      nullable: () => {
        nullable ??= this.#isNullable(expression);
        return nullable;
      },
      derivatives: new Array<Expression | undefined>(256),
    });
    return expression;
  }

  #of(expression: Expression): Known {
    return this.#known.get(expression)!;
  }

  #idOf(expression: Expression): number {
    return this.#of(expression).id;
  }
}
