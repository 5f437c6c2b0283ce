// What tokenizing a data set found: rows, tokens by class, straddled boundaries, missing stop tokens, rows left
// out by cause. Counting only; who prints it decides on the words.
import { type RowSource, TOKEN_CLASSES, type TokenClass } from "../example.ts";
import { type Rendering, type RenderingNotes, TemplateError } from "../templates/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import type { BoundedEncoding } from "./boundaries.ts";
import { type ClassifiedTokens, countClasses } from "./classified-tokens.ts";
import type { TokenRowError } from "./errors.ts";

export interface SkippedRow {
  readonly source: RowSource;
  /** `template`, or the reason of a TokenRowError or DataError. */
  readonly cause: string;
  readonly message: string;
}

export interface TokenizationReport {
  readonly rows: number;
  readonly tokens: Readonly<Record<TokenClass, number>>;
  /** Trained completions whose first token would have reached into the prompt. */
  readonly straddles: number;
  /** Some of the rows with straddles. */
  readonly straddledRows: readonly RowSource[];
  /** Later completions of straddled rows: inference would encode their history otherwise. */
  readonly retokenizedHistories: number;
  /** Trained completions, and how many of them do not end in a stop token of the tokenizer. */
  readonly completions: number;
  readonly completionsWithoutStop: number;
  /** Rows that a chat template's rewriting of history split, and the rows that came of them. */
  readonly splitRows: number;
  readonly rowsFromSplits: number;
  /** Trained turns compared with the chat template's generation marks, and the rows in which the two differ. */
  readonly markedTurns: number;
  readonly unlikeMarks: number;
  /** Special tokens that the data's own words brought in. */
  readonly specialTokensInData: number;
  /** Rows left out; of those that reading left out, the first. */
  readonly skipped: readonly SkippedRow[];
  /** All rows left out, by cause. */
  readonly skippedBy: Readonly<Record<string, number>>;
  /** Columns that reading left alone; see LeftOut. */
  readonly ignoredColumns: readonly string[];
  readonly warnings: readonly string[];
}

const LISTED = 20;

function turns(count: number): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? "turn" : "turns"}`;
}

/** The classes of the data's own words. */
const CONTENT = new Set(
  TOKEN_CLASSES.flatMap((name, code) => (name === "template" || name === "end" ? [] : [code])),
);

/** What counting asks of a tokenizer. */
export type TalliedVocabulary = Pick<Tokenizer, "stopIds" | "specialIds" | "tokenOf">;

/** Counts for a TokenizationReport. */
export class TokenizationTally {
  readonly #tokenizer: TalliedVocabulary;
  readonly #templateWarnings: readonly string[];
  #rows = 0;
  readonly #tokens = countClasses(new Uint8Array(0));
  #straddles = 0;
  readonly #straddledRows: RowSource[] = [];
  #retokenizedHistories = 0;
  #completions = 0;
  #completionsWithoutStop = 0;
  #splitRows = 0;
  #rowsFromSplits = 0;
  #specialTokensInData = 0;
  readonly #notes = { hiddenReasoning: 0, reasoningInContent: 0, markedTurns: 0 };
  /** Rows in which the template's generation marks differ from the trained turns, and the first difference. */
  #unlikeMarks = 0;
  #firstUnlike = "";
  readonly #skipped: SkippedRow[] = [];
  readonly #skippedBy: Record<string, number> = {};

  constructor(tokenizer: TalliedVocabulary, templateWarnings: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#templateWarnings = templateWarnings;
  }

  addRendered(count: number): void {
    if (count < 2) return;
    this.#splitRows++;
    this.#rowsFromSplits += count;
  }

  addSkipped(error: TemplateError | TokenRowError): void {
    const cause = error instanceof TemplateError ? "template" : error.reason;
    this.#skipped.push({ source: error.source!, cause, message: error.message });
    this.#skippedBy[cause] = (this.#skippedBy[cause] ?? 0) + 1;
  }

  addEncoded(rendering: Rendering, encoding: BoundedEncoding, source: RowSource): void {
    this.#straddles += encoding.straddles;
    this.#retokenizedHistories += encoding.retokenizedHistories;
    if (encoding.straddles > 0 && this.#straddledRows.length < LISTED) this.#straddledRows.push(source);
    this.#completions += rendering.targets.length;
    const { notes } = rendering;
    if (notes !== undefined) this.#addNotes(notes, source);
    this.#completionsWithoutStop += rendering.targets.length - this.#countStopped(rendering, encoding);
  }

  #addNotes(notes: RenderingNotes, { file, row }: RowSource): void {
    this.#notes.hiddenReasoning += notes.hiddenReasoning;
    this.#notes.reasoningInContent += notes.reasoningInContent;
    this.#notes.markedTurns += notes.markedTurns;
    const [first] = notes.markDifferences;
    if (first === undefined) return;
    if (this.#unlikeMarks++ === 0) this.#firstUnlike = `${file}, row ${row}, ${first}`;
  }

  /** Trained completions whose last token is a stop token of the tokenizer. */
  #countStopped({ targets }: Rendering, { pieces }: BoundedEncoding): number {
    return targets.filter(({ end }) => {
      const piece = pieces.findLast(
        ({ encoded, firstToken, shift }) => encoded.rangeOf(firstToken)[0] + shift < end,
      );
      if (piece === undefined) return false;
      const last = piece.encoded.tokenAt(end - 1 - piece.shift);
      return this.#tokenizer.stopIds.has(piece.encoded.ids[last] ?? -1);
    }).length;
  }

  /** @param ofText whether the row was text: in one that arrives tokenized, special tokens are its maker's layout */
  addTokens({ ids, classes }: ClassifiedTokens, ofText: boolean): void {
    this.#rows++;
    const counts = countClasses(classes);
    for (const name of Object.keys(counts) as TokenClass[]) this.#tokens[name] += counts[name];
    for (let i = 0; ofText && i < ids.length; i++) {
      if (this.#tokenizer.specialIds.has(ids[i]!) && CONTENT.has(classes[i]!)) this.#specialTokensInData++;
    }
  }

  report(): TokenizationReport {
    return {
      rows: this.#rows,
      tokens: { ...this.#tokens },
      straddles: this.#straddles,
      straddledRows: [...this.#straddledRows],
      retokenizedHistories: this.#retokenizedHistories,
      completions: this.#completions,
      completionsWithoutStop: this.#completionsWithoutStop,
      splitRows: this.#splitRows,
      rowsFromSplits: this.#rowsFromSplits,
      markedTurns: this.#notes.markedTurns,
      unlikeMarks: this.#unlikeMarks,
      specialTokensInData: this.#specialTokensInData,
      skipped: [...this.#skipped],
      skippedBy: { ...this.#skippedBy },
      ignoredColumns: [],
      warnings: this.#warnings(),
    };
  }

  #warnings(): string[] {
    const warnings = [...this.#templateWarnings];
    const stops = [...this.#tokenizer.stopIds]
      .map((id) => this.#tokenizer.tokenOf(id) ?? String(id))
      .join(", ");
    if (this.#completionsWithoutStop > 0) {
      const share =
        this.#completionsWithoutStop === this.#completions
          ? "no completion ends"
          : `${this.#completionsWithoutStop} of ${this.#completions} completions do not end`;
      warnings.push(
        `${share} in a stop token (${stops === "" ? "the tokenizer has none" : stops}): the model is not taught to stop`,
      );
    }
    const { hiddenReasoning, reasoningInContent } = this.#notes;
    if (hiddenReasoning > 0)
      warnings.push(
        `the chat template leaves the reasoning of ${turns(hiddenReasoning)} before the last out, as it does at inference`,
      );
    if (reasoningInContent > 0)
      warnings.push(
        `the template has no place for reasoning: that of ${turns(reasoningInContent)} was written into the words, in <think> marks`,
      );
    if (this.#unlikeMarks > 0)
      warnings.push(
        `the chat template's generation marks differ from what is trained in ${this.#unlikeMarks.toLocaleString("en-US")} rows; the latter holds. ${this.#firstUnlike}`,
      );
    if (this.#specialTokensInData > 0) {
      warnings.push(`the data's own words hold ${this.#specialTokensInData} special tokens`);
    }
    return warnings;
  }
}
