// What a template makes of an example: one text, cut into spans of one class each, and the places where the
// model takes over from the prompt. Plain data; nothing here knows about tokens.
import type { ConversationExample, TokenClass, Turn } from "../example.ts";
import type { TrainedTurns } from "./turns.ts";

/** A run of the text with one class. Positions in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
  readonly class: TokenClass;
  /** The weight that the data gives this part, in place of its class's. */
  readonly weight?: number | undefined;
  /** The factor that the data puts on the class's weight. Not beside `weight`. */
  readonly scale?: number | undefined;
}

/** A stretch of the text where the class's weight has a factor. */
export interface ScaledStretch {
  readonly start: number;
  readonly end: number;
  /** Undefined or 1 changes nothing. */
  readonly scale: number | undefined;
}

/** A trained assistant turn: inference is given the text up to `start`, the model writes up to `end`. */
export interface Target {
  readonly turn: number;
  readonly start: number;
  /** After the stop token, where the template has one. */
  readonly end: number;
}

export interface Rendering {
  readonly text: string;
  /** In order, without gaps, from 0 to the text's length; none is empty. */
  readonly spans: readonly Span[];
  /** In order of the text. Empty where the turn policy chose no turn of this example. */
  readonly targets: readonly Target[];
  /** Whether inference lets the tokenizer put its BOS before this text. A chat template brings its own. */
  readonly addsPrefix: boolean;
  /** What is worth counting; nothing where it is left out. */
  readonly notes?: RenderingNotes;
}

/** What a template did with a row that its data does not say. */
export interface RenderingNotes {
  /** Earlier turns whose reasoning the template leaves out, as it does at inference. */
  readonly hiddenReasoning: number;
  /** Turns whose reasoning stands in their words, as the template has no place of its own for it. */
  readonly reasoningInContent: number;
  /** Trained turns that were compared with the template's generation marks, and in words what differs in some. */
  readonly markedTurns: number;
  readonly markDifferences: readonly string[];
}

export const NO_NOTES: RenderingNotes = {
  hiddenReasoning: 0,
  reasoningInContent: 0,
  markedTurns: 0,
  markDifferences: [],
};

/** The text before a completion, as inference encodes it. */
export interface Prompt {
  readonly text: string;
  /** Whether the tokenizer puts its BOS before it. */
  readonly addsPrefix: boolean;
}

/** Lays conversations out as text. */
export interface Template {
  readonly name: string;
  /** All that decides its text, for a cache's key. */
  readonly fingerprint: string;
  /** What a user should know before training on it. */
  readonly warnings: readonly string[];
  /**
   * A Jinja template that lays out chats as `renderPrompt` does.
   * @param prefix written before what does not begin with BOS, where a tokenizer would put it itself
   */
  jinja(prefix: string): string;
  /**
   * The renderings of an example: one, or one for each trained turn where a template that rewrites history is
   * split. Untrained assistant turns are prompt (class `input`).
   * @throws {TemplateError} when the template cannot take the row
   */
  render(example: ConversationExample, trained: TrainedTurns): Rendering[];
  /**
   * The prompt for the completion of some turns: to the letter what `render` puts before a trained completion.
   * @param tools the functions that may be called, each an object as JSON text
   * @throws {TemplateError} when the template cannot take the turns or does not show the tools
   */
  renderPrompt(turns: readonly Turn[], tools?: readonly string[]): Prompt;
}

/** Puts a rendering together from left to right. */
export class RenderingBuilder {
  #text = "";
  readonly #spans: Span[] = [];
  readonly #targets: Target[] = [];
  readonly #scaled: ScaledStretch[] = [];

  get length(): number {
    return this.#text.length;
  }

  startsWith(text: string): boolean {
    return this.#text.startsWith(text);
  }

  append(text: string, tokenClass: TokenClass, own: Pick<Span, "weight" | "scale"> = {}): void {
    if (text === "") return;
    const start = this.#text.length;
    this.#text += text;
    pushSpan(this.#spans, { start, end: this.#text.length, class: tokenClass, ...own });
  }

  /** Puts a factor on a stretch of what was appended; spans with a weight or factor of their own keep it. */
  scale(stretch: ScaledStretch): void {
    this.#scaled.push(stretch);
  }

  addTarget(target: Target): void {
    this.#targets.push(target);
  }

  build(addsPrefix: boolean): Rendering {
    const spans = scaleSpans(this.#spans, this.#scaled);
    return { text: this.#text, spans, targets: this.#targets, addsPrefix };
  }
}

/** Adds a span behind the others, growing the last where the two are alike. */
export function pushSpan(spans: Span[], span: Span): void {
  if (span.start === span.end) return;
  const last = spans.at(-1);
  if (last !== undefined && last.class === span.class && isWeighedAlike(last, span)) {
    spans[spans.length - 1] = { ...last, end: span.end };
  } else {
    spans.push(span);
  }
}

function isWeighedAlike(a: Span, b: Span): boolean {
  return a.weight === b.weight && a.scale === b.scale;
}

/** What a template writes itself. The words of a turn have their weight or factor already, or are another turn's. */
const WRITTEN: ReadonlySet<TokenClass> = new Set(["template", "completion", "end"]);

/** Spans with the factors of the stretches on what a template wrote in them, cut at the stretches' ends. */
export function scaleSpans(spans: readonly Span[], stretches: readonly ScaledStretch[]): Span[] {
  const scaled = stretches.filter(({ scale }) => scale !== undefined && scale !== 1);
  if (scaled.length === 0) return [...spans];
  const cuts = scaled.flatMap(({ start, end }) => [start, end]).sort((a, b) => a - b);
  const result: Span[] = [];
  for (const span of spans) {
    if (!WRITTEN.has(span.class) || span.weight !== undefined || span.scale !== undefined) {
      pushSpan(result, span);
      continue;
    }
    const borders = [span.start, ...cuts.filter((cut) => cut > span.start && cut < span.end), span.end];
    for (let i = 1; i < borders.length; i++) {
      const [start, end] = [borders[i - 1]!, borders[i]!];
      const over = scaled.find((stretch) => stretch.start <= start && end <= stretch.end);
      pushSpan(result, { ...span, start, end, scale: over?.scale });
    }
  }
  return result;
}

/** Completes marked stretches to spans that cover the whole text; what is not marked is `template`. */
export function fillSpans(marks: readonly Span[], length: number): Span[] {
  const spans: Span[] = [];
  let cursor = 0;
  for (const mark of [...marks].sort((a, b) => a.start - b.start)) {
    pushSpan(spans, { start: cursor, end: mark.start, class: "template" });
    pushSpan(spans, mark);
    cursor = mark.end;
  }
  pushSpan(spans, { start: cursor, end: length, class: "template" });
  return spans;
}
