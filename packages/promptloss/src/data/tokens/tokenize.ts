// From examples to classified tokens: rendering, encoding with exact boundaries, classes, BOS. One batch is
// encoded on the library's threads while the next is rendered here. Weights and lengths come later.
import type { Example, TextExample } from "../example.ts";
import {
  checkTrainedTurns,
  type Prompt,
  type Rendering,
  RenderingBuilder,
  type Template,
  TemplateError,
  type TrainedTurns,
} from "../templates/index.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { BoundaryEncoder, type BoundedEncoding } from "./boundaries.ts";
import { CLASS_CODE, type ClassifiedTokens } from "./classified-tokens.ts";
import { classifyIds } from "./classify-ids.ts";
import { TokenRowError } from "./errors.ts";
import { writeClasses } from "./token-classes.ts";
import { type TokenizationReport, TokenizationTally } from "./tokenization-report.ts";

export interface TokenizeOptions {
  /** Which assistant turns are trained; all when left out. */
  turns?: TrainedTurns;
  /** What to do with a row that the template or tokenizer refuses; `error` when left out. */
  onBadRow?: "error" | "skip";
}

/** Examples in a batch: several calls' worth for the library, small enough to bound memory. */
const BATCH = 512;

interface RenderedRow {
  readonly example: Example;
  readonly rendering: Rendering;
}

/** Turns examples into classified tokens. The report is complete when the rows have been read to the end. */
export class ExampleTokenizer {
  readonly #tokenizer: Tokenizer;
  readonly #template: Template;
  readonly #turns: TrainedTurns;
  readonly #onBadRow: "error" | "skip";
  readonly #encoder: BoundaryEncoder;
  readonly #tally: TokenizationTally;

  /** @throws {TemplateError} for a turn policy that makes no sense */
  constructor(tokenizer: Tokenizer, template: Template, options: TokenizeOptions = {}) {
    this.#tokenizer = tokenizer;
    this.#template = template;
    this.#turns = options.turns ?? "all";
    checkTrainedTurns(this.#turns);
    this.#onBadRow = options.onBadRow ?? "error";
    this.#encoder = new BoundaryEncoder(tokenizer);
    this.#tally = new TokenizationTally(tokenizer, template.warnings);
  }

  /** What was counted so far. */
  get report(): TokenizationReport {
    return this.#tally.report();
  }

  /**
   * The rows of examples, in order; a template that splits a row gives several.
   * @throws {TemplateError} or {TokenRowError}, naming the row, unless bad rows are skipped
   */
  async *rows(examples: Iterable<Example> | AsyncIterable<Example>): AsyncGenerator<ClassifiedTokens> {
    let pending: Promise<ClassifiedTokens[]> | undefined;
    for await (const batch of batches(examples, BATCH)) {
      const rendered = batch.flatMap((example) => this.#render(example));
      const previous = pending;
      pending = this.#finish(rendered);
      // The batch is awaited one turn later: until then its failure must not count as unhandled.
      pending.catch(() => undefined);
      if (previous !== undefined) yield* await previous;
    }
    if (pending !== undefined) yield* await pending;
  }

  #render(example: Example): (RenderedRow | ClassifiedTokens)[] {
    try {
      if (example.kind === "tokens") return [classifyIds(example, this.#tokenizer)];
      if (example.kind === "text") return [{ example, rendering: this.#renderText(example) }];
      const renderings = this.#template.render(example, this.#turns);
      this.#tally.addRendered(renderings.length);
      return renderings.map((rendering) => ({ example, rendering }));
    } catch (error) {
      const known =
        error instanceof TokenRowError || (error instanceof TemplateError && error.source !== undefined);
      if (!known || this.#onBadRow === "error") throw error;
      this.#tally.addSkipped(error);
      return [];
    }
  }

  #renderText({ text, source }: TextExample): Rendering {
    if (text === "") throw new TokenRowError(source, "untrained", "the text is empty");
    const builder = new RenderingBuilder();
    builder.append(text, "completion");
    builder.append(this.#tokenizer.special.eos ?? "", "end");
    builder.addTarget({ turn: 0, start: 0, end: builder.length });
    const { bos } = this.#tokenizer.special;
    return builder.build(bos === undefined || !text.startsWith(bos));
  }

  async #finish(rows: readonly (RenderedRow | ClassifiedTokens)[]): Promise<ClassifiedTokens[]> {
    const rendered = rows.flatMap((row) => ("rendering" in row ? [row] : []));
    const encoded = await this.#encoder.encode(rendered.map(({ rendering }) => rendering));
    let next = 0;
    return rows.map((row) => {
      const tokens = "rendering" in row ? this.#classify(row, encoded[next++]!) : row;
      this.#tally.addTokens(tokens, "rendering" in row);
      return tokens;
    });
  }

  #classify({ example, rendering }: RenderedRow, encoding: BoundedEncoding): ClassifiedTokens {
    const prefix = rendering.addsPrefix ? this.#tokenizer.prefixIds : new Int32Array(0);
    const length = encoding.pieces.reduce((sum, piece) => sum + piece.ids.length, prefix.length);
    const ids = new Int32Array(length);
    const classes = new Uint8Array(length);
    const hasWeights = rendering.spans.some(({ weight }) => weight !== undefined);
    const partWeights = hasWeights ? new Float32Array(length).fill(Number.NaN) : undefined;
    const isScaled = rendering.spans.some(({ scale }) => scale !== undefined);
    const scales = isScaled ? new Float32Array(length).fill(1) : undefined;
    ids.set(prefix);
    classes.fill(CLASS_CODE.template, 0, prefix.length);
    let position = prefix.length;
    for (const piece of encoding.pieces) {
      ids.set(piece.ids, position);
      writeClasses(rendering.spans, piece, { classes, partWeights, scales }, position);
      position += piece.ids.length;
    }
    this.#tally.addEncoded(rendering, encoding, example.source);
    const rowWeight = example.weight ?? 1;
    return { ids, classes, partWeights, scales, rowWeight, source: example.source };
  }
}

async function* batches<T>(items: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

/** The ids of the prompt for the completion of some turns: those that training puts before a trained completion. */
export async function encodePrompt(tokenizer: Tokenizer, { text, addsPrefix }: Prompt): Promise<Int32Array> {
  return addsPrefix ? tokenizer.encodeWithPrefix(text) : (await tokenizer.encode(text)).ids;
}
