// The model's own chat template. The prompt of a trained turn is what the template gives for the turns before
// it with add_generation_prompt, as at inference; training on a rendering in which that text is not a prefix,
// or in which the turn's words were changed, would train on something else, so it is split or refused.
import { createHash } from "node:crypto";
import type { ConversationExample, RowSource, Turn } from "../example.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { BoundedJinja, JinjaLimitError } from "./bounded-jinja.ts";
import { TemplateError } from "./errors.ts";
import { jinjaValue } from "./jinja-text.ts";
import {
  fillSpans,
  type Prompt,
  type Rendering,
  type ScaledStretch,
  type Span,
  scaleSpans,
  type Target,
  type Template,
} from "./rendering.ts";
import { type ChatMessage, MessageFinder, type Placement } from "./skeleton.ts";
import {
  piecesText,
  slicePieces,
  type TrainedTurns,
  type TurnPiece,
  type TurnScales,
  trainedTurnIndices,
  turnPieces,
  turnScales,
} from "./turns.ts";

export interface ChatTemplateOptions {
  /** More variables for the template, such as `enable_thinking`. */
  variables?: Readonly<Record<string, unknown>>;
  /**
   * What to do with a row in which later turns change the text of earlier ones: refuse it (the default), or
   * split it into a row for each trained turn, each as inference sees it.
   */
  rewrittenHistory?: "error" | "split";
}

interface Row {
  readonly messages: readonly ChatMessage[];
  readonly pieces: readonly (readonly TurnPiece[])[];
  readonly scales: readonly TurnScales[];
  readonly source: RowSource;
}

const NAME = "tokenizer";
function withoutSpace(text: string): string {
  return text.replace(/\s+/g, "");
}

/** A rendering that is not what inference would see. */
class RewrittenHistory extends Error {}

/** The chat template of a tokenizer. */
export class ChatTemplate implements Template {
  readonly name = NAME;
  readonly fingerprint: string;
  readonly warnings: readonly string[];
  readonly #source: string;
  readonly #jinja: BoundedJinja;
  /** The tokenizer's folder. */
  readonly #path: string;
  readonly #variables: Record<string, unknown>;
  readonly #rewrittenHistory: "error" | "split";
  readonly #specialTexts: readonly string[];
  readonly #finder: MessageFinder;
  /** A generation prompt that the template appends even after a completion. */
  readonly #trailing: string;
  /** What follows the last completion, without `#trailing`. */
  readonly #completionSuffix: string;

  /** @throws {TemplateError} when the tokenizer has no chat template or it is not valid Jinja */
  constructor(
    tokenizer: Pick<
      Tokenizer,
      "chatTemplate" | "chatTemplateNames" | "special" | "specialTexts" | "prefixIds" | "path"
    >,
    options: ChatTemplateOptions = {},
  ) {
    const { chatTemplate: source, special } = tokenizer;
    if (source === undefined && tokenizer.chatTemplateNames.length > 0)
      throw new TemplateError(
        NAME,
        `${tokenizer.path} has several chat templates and no default: ${tokenizer.chatTemplateNames.join(", ")}`,
        { hint: "Write the one that you want into its chat_template.jinja." },
      );
    if (source === undefined) {
      throw new TemplateError(NAME, `${tokenizer.path} has no chat template`, {
        hint: "Use a named template, such as template: alpaca or template: chatml.",
      });
    }
    this.#path = tokenizer.path;
    try {
      this.#jinja = new BoundedJinja(source);
    } catch (cause) {
      throw new TemplateError(NAME, `cannot be read as Jinja: ${reasonOf(cause)}`, { cause });
    }
    this.#source = withVariables(source, options.variables ?? {});
    const tokens = Object.entries(special).flatMap(([name, text]) =>
      text === undefined ? [] : [[`${name}_token`, text]],
    );
    this.#variables = { tools: null, documents: null, ...Object.fromEntries(tokens), ...options.variables };
    this.#rewrittenHistory = options.rewrittenHistory ?? "error";
    this.#specialTexts = [
      ...new Set([...tokenizer.specialTexts, ...(special.eos === undefined ? [] : [special.eos])]),
    ];
    this.#finder = new MessageFinder((messages) => this.#apply(messages, false));
    [this.#completionSuffix, this.#trailing] = this.#probeCompletion();
    const dated = source.includes("strftime_now");
    this.warnings = [
      ...(dated
        ? ["the chat template writes today's date into the prompt; rows made on another day differ"]
        : []),
      ...(tokenizer.prefixIds.length > 0 && this.#writesNoBos(special.bos)
        ? [
            "the chat template does not write BOS, which the tokenizer puts before other texts: its rows have none",
          ]
        : []),
    ];
    const decisive = [
      source,
      tokens,
      options.variables ?? {},
      this.#rewrittenHistory,
      dated ? new Date().toDateString() : "",
    ];
    this.fingerprint = `${NAME}:${createHash("sha256").update(JSON.stringify(decisive)).digest("hex")}`;
  }

  /** The model's own, which writes BOS itself where it wants one. */
  jinja(): string {
    return this.#source;
  }

  renderPrompt(turns: readonly Turn[]): Prompt {
    const messages = turns.map((turn) => ({ role: turn.role, content: piecesText(turnPieces(turn, true)) }));
    return { text: this.#applyRow(messages, true, undefined), addsPrefix: false };
  }

  render(example: ConversationExample, trained: TrainedTurns): Rendering[] {
    const chosen = trainedTurnIndices(example.turns, trained);
    const pieces = example.turns.map((turn, index) => turnPieces(turn, !chosen.has(index)));
    const messages = example.turns.map(({ role }, index) => ({ role, content: piecesText(pieces[index]!) }));
    const scales = example.turns.map(turnScales);
    const row = { messages, pieces, scales, source: example.source };
    const targets = [...chosen].sort((a, b) => a - b);
    try {
      return [this.#renderRow(row, targets)];
    } catch (error) {
      if (!(error instanceof RewrittenHistory)) throw error;
      if (targets.length > 1 && this.#rewrittenHistory === "error") {
        throw new TemplateError(NAME, error.message, {
          source: example.source,
          hint: "Set rewrittenHistory: split to train each completion in a row of its own, or turns: last.",
        });
      }
    }
    return targets.map((target) => this.#renderAlone(example, target));
  }

  /** Only the turns up to one completion, which is the only one trained. */
  #renderAlone(example: ConversationExample, target: number): Rendering {
    const turns = example.turns.slice(0, target + 1);
    const pieces = turns.map((turn, index) => turnPieces(turn, index !== target));
    const messages = turns.map(({ role }, index) => ({ role, content: piecesText(pieces[index]!) }));
    try {
      const scales = turns.map(turnScales);
      return this.#renderRow({ messages, pieces, scales, source: example.source }, [target]);
    } catch (error) {
      if (!(error instanceof RewrittenHistory)) throw error;
      throw new TemplateError(NAME, error.message, {
        source: example.source,
        hint: "Inference with this chat template would not see what training would; use another template.",
      });
    }
  }

  #renderRow(row: Row, targets: readonly number[]): Rendering {
    const { messages, source } = row;
    let text = this.#applyRow(messages, false, source);
    const placements = this.#finder.find(text, messages);
    if (this.#trailing !== "" && text.endsWith(this.#trailing)) {
      text = text.slice(0, text.length - this.#trailing.length);
    }
    const marks: Span[] = [];
    const found: Target[] = [];
    for (const [index, message] of messages.entries()) {
      const placement = placements[index];
      if (targets.includes(index)) {
        const target = this.#target(row, text, index, placement);
        found.push(target.place);
        marks.push(...target.marks);
      } else if (placement === undefined) {
        const what =
          message.content.trim() === ""
            ? undefined
            : `does not show the ${message.role} message of turn ${index + 1}`;
        if (what !== undefined) {
          throw new TemplateError(NAME, what, {
            source,
            hint: "The model would not see it; leave it out of the data or use another template.",
          });
        }
      } else {
        marks.push(...this.#contentMarks(row, index, placement));
      }
    }
    const spans = scaleSpans(fillSpans(marks, text.length), this.#scaledStretches(row, text, placements));
    return { text, spans, targets: found, addsPrefix: false };
  }

  /** What the template writes for each turn that has a weight, up to the end of its words and behind them. */
  #scaledStretches(
    { messages, scales }: Row,
    text: string,
    placements: readonly (Placement | undefined)[],
  ): ScaledStretch[] {
    if (scales.every(({ head, end }) => head === undefined && end === undefined)) return [];
    const stretches: ScaledStretch[] = [];
    let start = 0;
    for (const [index, placement] of placements.entries()) {
      if (placement === undefined) continue;
      const next = placements.slice(index + 1).find((other) => other !== undefined);
      const end =
        next === undefined
          ? text.length
          : this.#endOfTurn(messages.slice(0, index + 1), text, placement, next);
      stretches.push({ start, end: placement.end, scale: scales[index]!.head });
      stretches.push({ start: placement.end, end, scale: scales[index]!.end });
      start = end;
    }
    return stretches;
  }

  /** Where the text of the last of some turns ends in the text that goes on with `next`. */
  #endOfTurn(messages: readonly ChatMessage[], text: string, { end }: Placement, next: Placement): number {
    const between = text.slice(end, next.start);
    const alone = this.#behind(messages, text.slice(0, end));
    if (alone !== undefined && between.startsWith(alone)) return end + alone.length;
    // A template that can't end here, or ends otherwise: a turn ends with its first special token.
    return end + (firstToken(between, this.#specialTexts)?.end ?? 0);
  }

  /** What stands behind `text` where the conversation ends with these messages. */
  #behind(messages: readonly ChatMessage[], text: string): string | undefined {
    try {
      const alone = this.#apply(messages, false);
      if (!alone.startsWith(text)) return undefined;
      const rest = alone.slice(text.length);
      return this.#trailing !== "" && rest.endsWith(this.#trailing)
        ? rest.slice(0, rest.length - this.#trailing.length)
        : rest;
    } catch (error) {
      rethrowLimit(error);
      return undefined;
    }
  }

  /** The spans of a trained completion: from the end of inference's prompt to the stop token. */
  #target(
    row: Row,
    text: string,
    index: number,
    placement: Placement | undefined,
  ): { place: Target; marks: Span[] } {
    const { messages, source } = row;
    const completion = `completion in turn ${index + 1}`;
    const prompt = this.#applyRow(messages.slice(0, index), true, source);
    if (!text.startsWith(prompt)) {
      throw new RewrittenHistory(
        `the prompt of the ${completion} reads otherwise when the conversation goes on`,
      );
    }
    if (placement === undefined || placement.start < prompt.length) {
      throw new RewrittenHistory(`the ${completion} is not shown as inference would write it`);
    }
    const words = text.slice(placement.start, placement.end);
    if (placement.cutFront === undefined && withoutSpace(words) !== withoutSpace(messages[index]!.content)) {
      throw new RewrittenHistory(`the words of the ${completion} are changed by the chat template`);
    }
    const isLast = index === messages.length - 1;
    const suffix = isLast
      ? text.slice(placement.end)
      : commonPrefix(text.slice(placement.end), this.#completionSuffix);
    const stop = firstToken(suffix, this.#specialTexts);
    const content = this.#contentMarks(row, index, placement);
    const start = prompt.length;
    const stopStart = placement.end + (stop?.start ?? 0);
    const end = placement.end + (stop?.end ?? 0);
    const marks: Span[] = [
      { start, end: placement.start, class: "completion" },
      ...content,
      { start: placement.end, end: stopStart, class: "completion" },
      { start: stopStart, end, class: "end" },
    ];
    return { place: { turn: index, start, end }, marks: marks.filter((mark) => mark.end > mark.start) };
  }

  /** The spans of a message's parts. Words that the template changed take the class of the first part. */
  #contentMarks(row: Row, index: number, placement: Placement): Span[] {
    const pieces = row.pieces[index]!;
    const { start, end, cutFront } = placement;
    if (cutFront === undefined) {
      const [first] = pieces;
      if (pieces.some(({ weight, scale }) => weight !== first?.weight || scale !== first?.scale)) {
        throw new TemplateError(
          NAME,
          `changes the words of turn ${index + 1}, whose parts have weights of their own`,
          {
            source: row.source,
            hint: "The weights could not follow the words; take them off or use another template.",
          },
        );
      }
      const { class: tokenClass = "template", weight, scale } = first ?? {};
      return start === end ? [] : [{ start, end, class: tokenClass, weight, scale }];
    }
    let cursor = start;
    return slicePieces(pieces, cutFront, cutFront + end - start).map((piece) => {
      const mark = {
        start: cursor,
        end: cursor + piece.text.length,
        class: piece.class,
        weight: piece.weight,
        scale: piece.scale,
      };
      cursor = mark.end;
      return mark;
    });
  }

  #applyRow(messages: readonly ChatMessage[], generate: boolean, source: RowSource | undefined): string {
    try {
      return this.#apply(messages, generate);
    } catch (cause) {
      if (cause instanceof TemplateError) throw cause;
      throw new TemplateError(NAME, `refuses the conversation: ${reasonOf(cause)}`, { source, cause });
    }
  }

  #apply(messages: readonly ChatMessage[], generate: boolean): string {
    try {
      return this.#jinja.render({ ...this.#variables, messages, add_generation_prompt: generate });
    } catch (cause) {
      if (!(cause instanceof JinjaLimitError)) throw cause;
      throw new TemplateError(NAME, `the chat template of ${this.#path} ${cause.message}`, {
        cause,
        hint: "Mend it, or use a named template, such as template: chatml.",
      });
    }
  }

  #writesNoBos(bos: string | undefined): boolean {
    if (bos === undefined) return false;
    try {
      return !this.#apply([{ role: "user", content: "?" }], true).startsWith(bos);
    } catch (error) {
      rethrowLimit(error);
      return false;
    }
  }

  /** Renders a question and a completion to see what follows a completion, and which of it is a generation prompt. */
  #probeCompletion(): [suffix: string, trailing: string] {
    const question = { role: "user", content: "\ue0f2" };
    const completion = { role: "assistant", content: "\ue0f3" };
    const behindCompletion = (text: string): string =>
      text.slice(text.lastIndexOf(completion.content) + completion.content.length);
    try {
      const text = this.#apply([question, completion], false);
      const after = behindCompletion(text);
      if (this.#apply([question, completion], true) !== text) return [after, ""];
      const goesOn = behindCompletion(this.#apply([question, completion, question], false));
      const rest = after.slice(firstToken(after, this.#specialTexts)?.end ?? 0);
      const isPrompt = !goesOn.startsWith(after) && this.#apply([question], true).endsWith(rest);
      return isPrompt ? [after.slice(0, after.length - rest.length), rest] : [after, ""];
    } catch (error) {
      rethrowLimit(error);
      // A template that refuses this conversation is judged by the rows themselves.
      return ["", ""];
    }
  }
}

/** Rows may be refused where a conversation is tried out; a template that does not end has no use. */
function rethrowLimit(error: unknown): void {
  if (error instanceof TemplateError) throw error;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function commonPrefix(a: string, b: string): string {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length++;
  return a.slice(0, length);
}

/** The first of some tokens in a text; of two at one place, the longer. */
function firstToken(text: string, tokens: readonly string[]): { start: number; end: number } | undefined {
  let best: { start: number; end: number } | undefined;
  for (const token of tokens) {
    const start = text.indexOf(token);
    if (start < 0 || token === "") continue;
    const end = start + token.length;
    if (best === undefined || start < best.start || (start === best.start && end > best.end))
      best = { start, end };
  }
  return best;
}

/** A template whose variables are as given where whoever renders it gives none. */
function withVariables(source: string, variables: Readonly<Record<string, unknown>>): string {
  // Each tag's line goes with it, so that the template's own first line stays one.
  const defaults = Object.entries(variables)
    .filter(([name]) => /^[A-Za-z_]\w*$/.test(name))
    .map(
      ([name, value]) =>
        `{%- if ${name} is not defined %}{%- set ${name} = ${jinjaValue(value)} %}{%- endif %}\n`,
    );
  return defaults.join("") + source;
}
