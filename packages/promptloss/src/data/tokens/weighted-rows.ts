// A data set as training reads it: each row weighed and made to fit, checked once from end to end before the
// first step. Rows are made when they are asked for, so that a cache on disk need not fit in memory.
import { counted } from "../../counted.ts";
import { TOKEN_CLASSES, type TokenClass } from "../example.ts";
import { PART_OF_CODE } from "../token-parts.ts";
import { type ClassifiedRows, type ClassifiedTokens, countClasses } from "./classified-tokens.ts";
import { TokenRowError } from "./errors.ts";
import { checkOverflow, type Fit, fitTokens, type OverflowOptions } from "./overflow.ts";
import { hasSeveralCompletions } from "./prompt-objective.ts";
import type { SkippedRow } from "./tokenization-report.ts";
import {
  type ResolvedWeightPolicy,
  resolveWeightPolicy,
  type WeightPolicy,
  weighTokens,
} from "./weight-policy.ts";
import type { WeightedTokens } from "./weighted-tokens.ts";

export interface WeightedRowsOptions {
  readonly weights: WeightPolicy;
  /** Rows of any length when left out. */
  readonly overflow?: OverflowOptions;
  /** What to do with a row without a trained token, or too long under `error`; `error` when left out. */
  readonly onBadRow?: "error" | "skip";
  /** Whether a prompt between two completions makes a row bad: of models whose encoder reads the prompt. */
  readonly oneCompletion?: boolean;
}

export interface WeightedRowsReport {
  readonly rows: number;
  readonly tokens: Readonly<Record<TokenClass, number>>;
  /** The sum of weights of each class, first tokens left out. */
  readonly weights: Readonly<Record<TokenClass, number>>;
  readonly overflow: {
    readonly dropped: number;
    readonly promptCut: number;
    readonly completionCut: number;
    /** Left out under truncate-prompt because the completion alone is too long. */
    readonly noRoom: number;
    /** Tokens that cutting took from the rows that stayed. */
    readonly tokensCut: number;
  };
  readonly skipped: readonly SkippedRow[];
  readonly warnings: readonly string[];
}

const OVERFLOW_KEYS = {
  dropped: "dropped",
  "prompt-cut": "promptCut",
  "completion-cut": "completionCut",
  "no-room": "noRoom",
} as const satisfies Record<Exclude<Fit["kind"], "kept">, keyof WeightedRowsReport["overflow"]>;

/** Rows by index, weighed and cut. */
export class WeightedRows {
  readonly report: WeightedRowsReport;
  /** The length in tokens of each row. */
  readonly lengths: Int32Array;
  readonly #rows: ClassifiedRows;
  readonly #indices: Int32Array;
  readonly #policy: ResolvedWeightPolicy;
  readonly #overflow: OverflowOptions | undefined;

  /**
   * Reads every row once.
   * @throws {WeightError} for settings that make no sense
   * @throws {TokenRowError} naming a row without a trained token, or too long under `error`
   */
  constructor(rows: ClassifiedRows, options: WeightedRowsOptions) {
    this.#rows = rows;
    this.#policy = resolveWeightPolicy(options.weights);
    this.#overflow = options.overflow;
    if (options.overflow !== undefined) checkOverflow(options.overflow);
    const tokens = countClasses(new Uint8Array(0));
    const weights = { ...tokens };
    const overflow = { dropped: 0, promptCut: 0, completionCut: 0, noRoom: 0, tokensCut: 0 };
    const skipped: SkippedRow[] = [];
    const indices: number[] = [];
    const lengths: number[] = [];
    for (let index = 0; index < rows.length; index++) {
      const row = rows.at(index)!;
      try {
        const fit = this.#fit(row);
        if (fit.kind !== "kept") overflow[OVERFLOW_KEYS[fit.kind]]++;
        if (fit.tokens === undefined) continue;
        checkTrained(row, fit.tokens);
        if (options.oneCompletion) checkOneCompletion(fit.tokens);
        overflow.tokensCut += row.ids.length - fit.tokens.length;
        addSums(fit.tokens, tokens, weights);
        indices.push(index);
        lengths.push(fit.tokens.length);
      } catch (error) {
        if (!(error instanceof TokenRowError) || options.onBadRow !== "skip") throw error;
        skipped.push({ source: error.source, cause: error.reason, message: error.message });
      }
    }
    this.#indices = Int32Array.from(indices);
    this.lengths = Int32Array.from(lengths);
    this.report = {
      rows: indices.length,
      tokens,
      weights,
      overflow,
      skipped,
      warnings: this.#policy.warnings,
    };
  }

  get length(): number {
    return this.#indices.length;
  }

  /** @throws {RangeError} when there is no such row */
  at(index: number): WeightedTokens {
    const position = this.#indices[index];
    if (position === undefined) throw new RangeError(`no row ${index} among ${this.length}`);
    // The constructor kept only rows that fit.
    return this.#fit(this.#rows.at(position)!).tokens!;
  }

  #fit(row: ClassifiedTokens): Fit {
    const tokens = weighTokens(row, this.#policy);
    return this.#overflow === undefined ? { kind: "kept", tokens } : fitTokens(tokens, this.#overflow);
  }
}

function addSums(
  row: WeightedTokens,
  tokens: Record<TokenClass, number>,
  weights: Record<TokenClass, number>,
): void {
  for (let i = 0; i < row.length; i++) {
    const name = TOKEN_CLASSES[row.classes[i]!]!;
    tokens[name]++;
    if (i > 0) weights[name] += row.weights[i]!;
  }
}

/** @throws {TokenRowError} for a row that no encoder reads whole before it is answered */
function checkOneCompletion({ classes, source }: WeightedTokens): void {
  if (!hasSeveralCompletions(classes)) return;
  throw new TokenRowError(
    source,
    "several-completions",
    "the encoder reads one prompt, and the row has a prompt between two completions",
    { hint: "set turns: last, or split the conversation into rows" },
  );
}

/** @throws {TokenRowError} when no token of the row is trained on, saying why */
function checkTrained(row: ClassifiedTokens, tokens: WeightedTokens): void {
  if (tokens.trainedCount > 0) return;
  const hasCompletion = (classes: Uint8Array): boolean =>
    classes.some((code) => PART_OF_CODE[code] !== "prompt");
  const fail = (message: string, hint: string): never => {
    throw new TokenRowError(tokens.source, "untrained", `no token is trained on: ${message}`, { hint });
  };
  if (!hasCompletion(row.classes))
    fail("the row has no trained completion", "Look at the turns that are trained.");
  if (!hasCompletion(tokens.classes)) {
    fail(
      `cutting to ${counted(tokens.length, "token")} left no completion`,
      "Raise maxLength, or set overflow to truncate-prompt or drop.",
    );
  }
  fail(
    tokens.length === 1 ? "its one token weighs 0" : `all ${tokens.length} tokens weigh 0`,
    "Look at the weights of the recipe and of the row.",
  );
}
