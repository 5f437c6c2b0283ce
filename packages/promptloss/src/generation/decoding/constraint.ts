// What a sequence may be made of, token by token: a grammar, seen from decoding.

export interface TokenConstraint {
  /** 1 for each token that may come next, 0 for all others: [vocabulary]. Not to be changed. */
  readonly allowed: Uint8Array;
  /** Whether the sequence may end here, with a stop token. */
  readonly mayEnd: boolean;
  /** Whether nothing but an end can come. */
  readonly complete: boolean;
  /** Takes the token that came, which was allowed and is no stop token. */
  accept(id: number): void;
}
