// One correction over all that a study tests: the chance of one false claim or more is at most the level. A sequentially
// rejective graph (Bretz, Maurer, Brannath and Posch 2009), which is closed testing with weighted Bonferroni tests.
//
// Each statement has a share of the error. Its tests stand in stages, and a stage is asked only once all of the stage
// before it is rejected: first whether there is a relation, then whether weights inside beat the one end and the other
// (Holm within the two), then whether one and the same window of weights beats both. The share moves along the stages;
// after the last it is free for the statements that are left, in proportion to their shares, as in Holm (1979). A
// statement that stops half-way keeps its share: handing it on after the first stage and testing "inside" with an error of
// its own, two corrections one after the other, would add up to twice the level.

export interface StatementTests {
  /** Share of the error, positive; shares need not add up to 1. */
  readonly share: number;
  /** p-values of each stage, computed when the stage is reached; none passes. */
  readonly stages: readonly (() => readonly number[])[];
}

/** Corrected p-values of a statement, by stage; undefined of a stage that was not reached. */
export type CorrectedStages = readonly (readonly number[] | undefined)[];

/** At the level alpha: stages behind a test that is not rejected there are not computed. */
export function correctedTests(statements: readonly StatementTests[], alpha: number): CorrectedStages[] {
  const chains = statements.map((statement) => new Chain(statement));
  let largest = 0;
  for (const chain of chains) chain.open();
  for (;;) {
    // A chain that has stopped keeps its share.
    const left = chains.reduce((sum, { done, share }) => (done ? sum : sum + share), 0);
    let next: { chain: Chain; p: number } | undefined;
    for (const chain of chains) {
      const p = (chain.smallest * left) / chain.share;
      if (p < (next?.p ?? Number.POSITIVE_INFINITY)) next = { chain, p };
    }
    if (next === undefined) return chains.map(({ corrected }) => corrected);
    largest = Math.max(largest, Math.min(1, next.p));
    next.chain.reject(largest, largest < alpha);
  }
}

/** A statement's way through its stages. */
class Chain {
  readonly share: number;
  readonly corrected: (number[] | undefined)[];
  /** Whether all stages are behind it. */
  done = false;
  readonly #stages: StatementTests["stages"];
  #at = -1;
  /** Of this stage, by p from the smallest. */
  #left: { readonly k: number; readonly p: number }[] = [];

  constructor({ share, stages }: StatementTests) {
    this.share = share;
    this.#stages = stages;
    this.corrected = stages.map(() => undefined);
  }

  /** The smallest p-value of the stage, by Holm within it; infinite where nothing is left to test. */
  get smallest(): number {
    return this.#left.length === 0 ? Number.POSITIVE_INFINITY : this.#left[0]!.p * this.#left.length;
  }

  /** Goes on to the next stage that has tests. */
  open(): void {
    while (this.#left.length === 0) {
      this.#at++;
      const stage = this.#stages[this.#at];
      if (stage === undefined) {
        this.done = true;
        return;
      }
      const tests = stage();
      this.corrected[this.#at] = tests.map(() => 1);
      this.#left = tests.map((p, k) => ({ k, p })).sort((a, b) => a.p - b.p);
    }
  }

  /** Takes the smallest test out with its corrected p-value. */
  reject(corrected: number, onward: boolean): void {
    const { k } = this.#left.shift()!;
    this.corrected[this.#at]![k] = corrected;
    if (this.#left.length > 0) return;
    if (onward) this.open();
    else if (this.#at === this.#stages.length - 1) this.done = true;
  }
}
