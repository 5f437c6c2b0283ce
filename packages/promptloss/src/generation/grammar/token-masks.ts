// Which tokens of a vocabulary may come next in a text of a grammar. The tokens stand in a tree by their bytes, so that
// those which begin in the same way are followed together, and what is found for a state is kept.
import type { TokenConstraint } from "../decoding/constraint.ts";
import { GenerationError } from "../errors.ts";
import type { Expression, Grammar } from "./expression.ts";
import type { SchemaGrammar } from "./json-schema.ts";

interface Branch {
  readonly byte: number;
  readonly ids: number[];
  readonly branches: Branch[];
}

/** The tokens of a tokenizer by their bytes. Special tokens and those without bytes are part of no text. */
export class TokenTree {
  readonly vocabulary: number;
  readonly root: Branch = { byte: -1, ids: [], branches: [] };
  readonly #bytesOf: (id: number) => Uint8Array;

  /** @param vocabulary of the model, which may be larger than the tokenizer's */
  constructor(vocabulary: number, bytesOf: (id: number) => Uint8Array | undefined) {
    this.vocabulary = vocabulary;
    this.#bytesOf = (id) => bytesOf(id) ?? NONE;
    const places = new Map<Branch, Map<number, Branch>>();
    for (let id = 0; id < vocabulary; id++) {
      const bytes = this.#bytesOf(id);
      if (bytes.length === 0) continue;
      let at = this.root;
      for (const byte of bytes) {
        const below = places.get(at) ?? new Map<number, Branch>();
        places.set(at, below);
        let branch = below.get(byte);
        if (branch === undefined) {
          branch = { byte, ids: [], branches: [] };
          below.set(byte, branch);
          at.branches.push(branch);
        }
        at = branch;
      }
      at.ids.push(id);
    }
  }

  bytesOf(id: number): Uint8Array {
    return this.#bytesOf(id);
  }
}

const NONE = new Uint8Array();

/** States whose masks are kept: each takes a byte for each token of the vocabulary. */
const KEPT = 512;

/** The masks of one grammar over one vocabulary. */
export class TokenMasks {
  readonly #grammar: Grammar;
  readonly #root: Expression;
  readonly #tree: TokenTree;
  readonly #masks = new Map<Expression, Uint8Array>();
  #all: Uint8Array | undefined;

  constructor({ grammar, root }: SchemaGrammar, tree: TokenTree) {
    this.#grammar = grammar;
    this.#root = root;
    this.#tree = tree;
  }

  /** A sequence that begins; undefined behind bytes that nothing can begin with. */
  constraint(): TokenConstraint;
  constraint(behind: Uint8Array): TokenConstraint | undefined;
  constraint(behind: Uint8Array = NONE): TokenConstraint | undefined {
    const state = behind.reduce<Expression>((at, byte) => this.#grammar.derivative(at, byte), this.#root);
    return state === this.#grammar.fail ? undefined : new GrammarConstraint(this, state);
  }

  /** 1 for every token. */
  get all(): Uint8Array {
    this.#all ??= new Uint8Array(this.#tree.vocabulary).fill(1);
    return this.#all;
  }

  bytesOf(id: number): Uint8Array {
    return this.#tree.bytesOf(id);
  }

  /** 1 for each token whose bytes may come next. */
  mask(state: Expression): Uint8Array {
    let mask = this.#masks.get(state);
    if (mask === undefined) {
      mask = new Uint8Array(this.#tree.vocabulary);
      this.#fill(mask, this.#tree.root, state);
      if (this.#masks.size >= KEPT) this.#masks.delete(this.#masks.keys().next().value!);
      this.#masks.set(state, mask);
    }
    return mask;
  }

  mayEnd(state: Expression): boolean {
    return this.#grammar.nullable(state);
  }

  /** The state behind a token. */
  after(state: Expression, id: number): Expression {
    let at = state;
    for (const byte of this.#tree.bytesOf(id)) at = this.#grammar.derivative(at, byte);
    return at;
  }

  /** Whether nothing can follow. */
  isComplete(state: Expression): boolean {
    return state === this.#grammar.empty;
  }

  #fill(mask: Uint8Array, branch: Branch, state: Expression): void {
    for (const below of branch.branches) {
      const next = this.#grammar.derivative(state, below.byte);
      if (next === this.#grammar.fail) continue;
      for (const id of below.ids) mask[id] = 1;
      if (below.branches.length > 0) this.#fill(mask, below, next);
    }
  }
}

class GrammarConstraint implements TokenConstraint {
  readonly #masks: TokenMasks;
  #state: Expression;
  #allowed: Uint8Array;

  constructor(masks: TokenMasks, state: Expression) {
    this.#masks = masks;
    this.#state = state;
    this.#allowed = this.#next();
  }

  get allowed(): Uint8Array {
    return this.#allowed;
  }

  get mayEnd(): boolean {
    return this.#masks.mayEnd(this.#state);
  }

  get complete(): boolean {
    return this.#masks.isComplete(this.#state);
  }

  accept(id: number): void {
    this.#state = this.#masks.after(this.#state, id);
    this.#allowed = this.#next();
  }

  /** @throws {GenerationError} where the vocabulary has no token that leads on */
  #next(): Uint8Array {
    const mask = this.#masks.mask(this.#state);
    if (!this.mayEnd && !mask.includes(1))
      throw new GenerationError("constraint", "the tokenizer has no tokens for what must come next");
    return mask;
  }
}
