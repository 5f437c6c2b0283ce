// The model's own chat template. The prompt of a trained turn is what the template gives for the turns before
// it with add_generation_prompt, as at inference; training on a rendering in which that text is not a prefix,
// or in which the turn's words were changed, would train on something else, so it is split or refused.
import { createHash } from "node:crypto";
import type { ConversationExample, RowSource, Turn } from "../example.ts";
import { REASONING_KEYS } from "../think-block.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { BoundedJinja, JinjaLimitError } from "./bounded-jinja.ts";
import {
  type ChatMessage,
  type ChatTurn,
  chatTurn,
  layoutKey,
  type MessageStyle,
  messageOf,
  toolsVariable,
} from "./chat-messages.ts";
import { TemplateError } from "./errors.ts";
import { markDifferences, markedRanges, markedTemplate } from "./generation-marks.ts";
import { jinjaValue } from "./jinja-text.ts";
import {
  fillSpans,
  type Prompt,
  type Rendering,
  type RenderingNotes,
  type ScaledStretch,
  type Span,
  scaleSpans,
  type Target,
  type Template,
} from "./rendering.ts";
import { type Placement, TextFinder } from "./skeleton.ts";
import { findCall, findCallWords, findDefinition, findDefinitionWords, type Place } from "./tool-places.ts";
import {
  slicePieces,
  type TrainedTurns,
  type TurnPiece,
  type TurnScales,
  trainedTurnIndices,
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
  readonly turns: readonly ChatTurn[];
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly string[] | undefined;
  readonly scales: readonly TurnScales[];
  readonly source: RowSource;
}

/** Where a turn's words stand: its reasoning, content and calls, and what each is. */
interface TurnPlace extends Place {
  readonly marks: readonly Span[];
}

const NAME = "tokenizer";
function withoutSpace(text: string): string {
  return text.replace(/\s+/g, "");
}

/** A rendering that is not what inference would see. */
class RewrittenHistory extends Error {}

function hidden(what: string): TemplateError {
  return new TemplateError(NAME, `does not show the conversation's ${what}`, {
    hint: "The model would not see them; use a chat template that knows tools.",
  });
}

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
  /** What stop tokens are known: where calls end, other special tokens may stand before. */
  readonly #stopTexts: readonly string[];
  readonly #finder = new TextFinder();
  readonly #style: MessageStyle;
  /** The template with its generation marks; undefined where it has none. */
  readonly #marked: BoundedJinja | undefined;
  /** A generation prompt that the template appends even after a completion. */
  readonly #trailing: string;
  /** What follows the last completion, without `#trailing`. */
  readonly #completionSuffix: string;

  /** @throws {TemplateError} when the tokenizer has no chat template or it is not valid Jinja */
  constructor(
    tokenizer: Pick<
      Tokenizer,
      "chatTemplate" | "chatTemplateNames" | "special" | "specialTexts" | "prefixIds" | "path"
    > &
      Partial<Pick<Tokenizer, "stopIds" | "tokenOf">>,
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
    this.#marked = markedTemplate(source);
    this.#style = this.#probeStyle();
    [this.#completionSuffix, this.#trailing] = this.#probeCompletion();
    const usual = firstToken(this.#completionSuffix, this.#specialTexts);
    const known = [...(tokenizer.stopIds ?? [])].map((id) => tokenizer.tokenOf?.(id));
    this.#stopTexts = [
      ...(usual === undefined ? [] : [this.#completionSuffix.slice(usual.start, usual.end)]),
      ...[special.eos, ...known].filter((text) => text !== undefined),
    ];
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

  renderPrompt(turns: readonly Turn[], tools?: readonly string[]): Prompt {
    const chats = turns.map((turn) => chatTurn(turn, true, this.#style));
    const messages = chats.map(messageOf);
    const own = tools === undefined || tools.length === 0 ? undefined : tools;
    this.#checkTools(own, undefined);
    const text = this.#applyRow(messages, own, true, undefined);
    // As an example is laid out, with nothing written for the answer to come.
    const shown = own === undefined ? "" : (this.#changed(messages, own) ?? text);
    for (const [index, tool] of (own ?? []).entries()) {
      const whole = { start: 0, end: shown.length };
      const changed = (other: string) => this.#changed(messages, own!.with(index, other));
      if (!findDefinition(shown, tool, whole) && !findDefinitionWords(shown, tool, changed))
        throw hidden("tools");
    }
    for (const [index, { toolCalls, ...rest }] of turns.entries()) {
      if (rest.role !== "tool" && toolCalls === undefined) continue;
      const others =
        rest.role === "tool"
          ? messages.toSpliced(index, 1)
          : messages.with(index, messageOf(chatTurn(rest, true, this.#style)));
      if (this.#changed(others, own) === this.#changed(messages, own))
        throw hidden(rest.role === "tool" ? "tool results" : "calls");
    }
    return { text, addsPrefix: false };
  }

  render(example: ConversationExample, trained: TrainedTurns): Rendering[] {
    this.#checkTools(example.tools, example.source);
    const chosen = trainedTurnIndices(example.turns, trained);
    const targets = [...chosen].sort((a, b) => a - b);
    try {
      return [this.#renderRow(this.#row(example, example.turns, chosen), targets)];
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

  #checkTools(tools: readonly string[] | undefined, source: RowSource | undefined): void {
    if (tools === undefined || this.#variables.tools === null) return;
    throw new TemplateError(NAME, "the row has tools, and templateVariables has others", {
      source,
      hint: "Leave one of the two out, the row's with columns: { tools: null }.",
    });
  }

  #row(example: ConversationExample, turns: readonly Turn[], chosen: ReadonlySet<number>): Row {
    const asked = turns.map((turn, index) => chatTurn(turn, !chosen.has(index), this.#style));
    const { tools, source } = example;
    return { turns: asked, messages: asked.map(messageOf), tools, scales: turns.map(turnScales), source };
  }

  /** Only the turns up to one completion, which is the only one trained. */
  #renderAlone(example: ConversationExample, target: number): Rendering {
    const turns = example.turns.slice(0, target + 1);
    try {
      return this.#renderRow(this.#row(example, turns, new Set([target])), [target]);
    } catch (error) {
      if (!(error instanceof RewrittenHistory)) throw error;
      throw new TemplateError(NAME, error.message, {
        source: example.source,
        hint: "Inference with this chat template would not see what training would; use another template.",
      });
    }
  }

  #renderRow(row: Row, targets: readonly number[]): Rendering {
    const { messages, tools, source } = row;
    const whole = this.#applyRow(messages, tools, false, source);
    const placements = this.#placements(row, whole);
    const text = this.#withoutTrailing(whole);
    const marks = this.#toolMarks(row, text, placements);
    const found: Target[] = [];
    const places: (Place | undefined)[] = [];
    let [cursor, hiddenReasoning] = [0, 0];
    for (const index of row.turns.keys()) {
      const isTarget = targets.includes(index);
      const prompt = isTarget ? this.#promptOf(row, text, index) : 0;
      const window = { start: Math.max(cursor, prompt), end: startAfter(placements, index, text.length) };
      const { place, hidden } = this.#turnPlace(row, text, index, placements[index]!, window, isTarget);
      places.push(place);
      cursor = Math.max(cursor, place?.end ?? 0);
      hiddenReasoning += hidden;
      if (isTarget) {
        const target = this.#target(row, text, index, place, prompt);
        found.push(target.place);
        marks.push(...target.marks);
      } else marks.push(...(place?.marks ?? []));
    }
    const spans = scaleSpans(fillSpans(marks, text.length), this.#scaledStretches(row, text, places));
    const reasoningInContent =
      this.#style.reasoningKey === undefined
        ? row.turns.filter(({ hasReasoning }) => hasReasoning).length
        : 0;
    const compared = this.#compareMarks(row, text, found);
    const isWorthANote = hiddenReasoning > 0 || reasoningInContent > 0 || compared.markedTurns > 0;
    return {
      ...{ text, spans, targets: found, addsPrefix: false },
      ...(isWorthANote && { notes: { hiddenReasoning, reasoningInContent, ...compared } }),
    };
  }

  /** Where the texts of each turn stand. */
  #placements({ turns, tools }: Row, text: string): (Placement | undefined)[][] {
    const starts: number[] = [];
    const texts = turns.flatMap((turn) => {
      starts.push((starts.at(-1) ?? 0) + turn.texts.length);
      return turn.texts.map((each) => each.text);
    });
    const ofTurn = <T>(all: readonly T[], index: number): T[] =>
      all.slice(starts[index - 1] ?? 0, starts[index]);
    const placements = this.#finder.find(text, {
      texts,
      key: layoutKey(turns, tools),
      render: (others) =>
        this.#apply(
          turns.map((turn, index) => turn.message(ofTurn(others, index))),
          tools,
          false,
        ),
    });
    return turns.map((_, index) => ofTurn(placements, index));
  }

  /** The spans of the tools' definitions, in the order of the text. */
  #toolMarks(row: Row, text: string, placements: readonly (readonly (Placement | undefined)[])[]): Span[] {
    const { messages, tools = [], source } = row;
    const texts = placements.flat().filter((place) => place !== undefined);
    const marks: Span[] = [];
    let cursor = 0;
    for (const [index, tool] of tools.entries()) {
      const found =
        findDefinition(text, tool, { start: cursor, end: text.length }) ??
        findDefinitionWords(text, tool, (other) => this.#changed(messages, tools.with(index, other)));
      if (found === undefined)
        throw new TemplateError(NAME, "does not show the row's tools", {
          source,
          hint: "The model would not see them; use a chat template that knows tools, or leave them out with columns: { tools: null }.",
        });
      // In words of a template's own, what changes with a tool may reach into what follows.
      const next = texts.filter(({ start }) => start >= found.start).map(({ start }) => start);
      const [start, end] = [Math.max(found.start, cursor), Math.min(found.end, ...next)];
      if (end > start) marks.push({ start, end, class: "tool-definition" });
      cursor = Math.max(cursor, end);
    }
    return marks;
  }

  /** Where a turn's words and calls stand, and how many of its reasonings the template leaves out. */
  #turnPlace(
    row: Row,
    text: string,
    index: number,
    placements: readonly (Placement | undefined)[],
    window: Place,
    isTarget: boolean,
  ): { place: TurnPlace | undefined; hidden: number } {
    const chat = row.turns[index]!;
    const marks: Span[] = [];
    let hidden = 0;
    for (const [i, { kind, text: words, pieces }] of chat.texts.entries()) {
      const placement = placements[i];
      if (placement === undefined) {
        if (words.trim() === "") continue;
        const what = kind === "reasoning" ? `reasoning of the ${completionOf(index)}` : completionOf(index);
        if (isTarget) throw new RewrittenHistory(`the ${what} is not shown as inference would write it`);
        if (kind === "reasoning") hidden++;
        else
          throw new TemplateError(NAME, `does not show the ${chat.turn.role} message of turn ${index + 1}`, {
            source: row.source,
            hint: "The model would not see it; leave it out of the data or use another template.",
          });
        continue;
      }
      const shown = text.slice(placement.start, placement.end);
      if (isTarget && placement.cutFront === undefined && withoutSpace(shown) !== withoutSpace(words))
        throw new RewrittenHistory(
          `the words of the ${completionOf(index)} are changed by the chat template`,
        );
      marks.push(...this.#textMarks(row, index, pieces, placement));
      if (placement.start === placement.end) marks.push({ ...placement, class: "template" });
    }
    // Calls stand behind the words most often, where nothing of the words can be taken for them.
    let cursor = Math.max(window.start, ...marks.map((mark) => mark.end));
    for (const [i, { class: name, weight, scale }] of chat.calls.entries()) {
      const behind = { start: cursor, end: window.end };
      const call = this.#callPlace(row, text, index, i, behind, window);
      marks.push({ ...call, class: name, weight, scale });
      cursor = Math.max(cursor, call.end);
    }
    if (marks.length === 0) return { place: undefined, hidden };
    const start = Math.min(...marks.map((mark) => mark.start));
    const end = Math.max(...marks.map((mark) => mark.end));
    return { place: { start, end, marks: marks.filter((mark) => mark.end > mark.start) }, hidden };
  }

  #callPlace(row: Row, text: string, index: number, i: number, behind: Place, window: Place): Place {
    const chat = row.turns[index]!;
    const call = chat.turn.toolCalls![i]!;
    const texts = chat.texts.map((each) => each.text);
    const found =
      findCall(text, call, behind) ??
      findCall(text, call, window) ??
      findCallWords(text, call, (other) =>
        this.#changed(row.messages.with(index, chat.message(texts, { index: i, other })), row.tools),
      );
    if (found !== undefined && found.start >= window.start && found.end <= window.end) return found;
    throw new TemplateError(NAME, `does not show the tool calls of turn ${index + 1}`, {
      source: row.source,
      hint: "The model would not learn them; use a chat template that knows tools.",
    });
  }

  /** What the template writes for each turn that has a weight, up to the end of its words and behind them. */
  #scaledStretches(row: Row, text: string, places: readonly (Place | undefined)[]): ScaledStretch[] {
    const { scales } = row;
    if (scales.every(({ head, end }) => head === undefined && end === undefined)) return [];
    const stretches: ScaledStretch[] = [];
    let start = 0;
    for (const [index, place] of places.entries()) {
      if (place === undefined) continue;
      const next = places.slice(index + 1).find((other) => other !== undefined);
      const end = next === undefined ? text.length : this.#endOfTurn(row, index, text, place, next);
      stretches.push({ start, end: place.end, scale: scales[index]!.head });
      stretches.push({ start: place.end, end, scale: scales[index]!.end });
      start = end;
    }
    return stretches;
  }

  /** Where the text of a turn ends in the text that goes on with `next`. */
  #endOfTurn(row: Row, index: number, text: string, { end }: Place, next: Place): number {
    const between = text.slice(end, next.start);
    const alone = this.#behind(row, index, text.slice(0, end));
    if (alone !== undefined && between.startsWith(alone)) return end + alone.length;
    // A template that can't end here, or ends otherwise: a turn ends with its first special token.
    return end + (this.#stopIn(row.turns[index]!, between)?.end ?? 0);
  }

  /** What stands behind `text` where the conversation ends with this turn. */
  #behind({ messages, tools }: Row, index: number, text: string): string | undefined {
    const alone = this.#applyOrNot(messages.slice(0, index + 1), tools);
    return alone?.startsWith(text) ? this.#withoutTrailing(alone).slice(text.length) : undefined;
  }

  #withoutTrailing(text: string): string {
    return this.#trailing !== "" && text.endsWith(this.#trailing)
      ? text.slice(0, text.length - this.#trailing.length)
      : text;
  }

  /** The length of inference's prompt for a trained turn, with which the text begins. */
  #promptOf({ messages, tools, source }: Row, text: string, index: number): number {
    const prompt = this.#applyRow(messages.slice(0, index), tools, true, source);
    if (text.startsWith(prompt)) return prompt.length;
    throw new RewrittenHistory(
      `the prompt of the ${completionOf(index)} reads otherwise when the conversation goes on`,
    );
  }

  /** The spans of a trained completion: from the end of inference's prompt to the stop token. */
  #target(
    row: Row,
    text: string,
    index: number,
    place: TurnPlace | undefined,
    start: number,
  ): { place: Target; marks: Span[] } {
    if (place === undefined || place.start < start) {
      throw new RewrittenHistory(`the ${completionOf(index)} is not shown as inference would write it`);
    }
    const suffix = this.#suffix(row, text, index, place.end);
    const stop = this.#stopIn(row.turns[index]!, suffix);
    const stopStart = place.end + (stop?.start ?? 0);
    const end = place.end + (stop?.end ?? 0);
    const marks: Span[] = [];
    let cursor = start;
    // What the model writes around its words, its calls and its reasoning is completion too.
    for (const mark of [...place.marks].sort((a, b) => a.start - b.start)) {
      marks.push({ start: cursor, end: mark.start, class: "completion" }, mark);
      cursor = mark.end;
    }
    marks.push(
      { start: cursor, end: stopStart, class: "completion" },
      { start: stopStart, end, class: "end" },
    );
    return { place: { turn: index, start, end }, marks: marks.filter((mark) => mark.end > mark.start) };
  }

  /** What follows the words of a trained turn and is still its own, its stop token among it. */
  #suffix(row: Row, text: string, index: number, end: number): string {
    const rest = text.slice(end);
    if (index === row.messages.length - 1) return rest;
    const { calls, isPlain } = row.turns[index]!;
    if (isPlain || calls.length === 0) return commonPrefix(rest, this.#completionSuffix);
    const alone = this.#behind(row, index, text.slice(0, end));
    return alone === undefined ? rest : commonPrefix(rest, alone);
  }

  /** The token that ends a turn, in what follows its words. */
  #stopIn({ calls }: ChatTurn, suffix: string): Place | undefined {
    const first = firstToken(suffix, this.#specialTexts);
    return calls.length === 0 ? first : (firstToken(suffix, this.#stopTexts) ?? first);
  }

  /** The spans of a text's parts. Words that the template changed take the class of the first part. */
  #textMarks(row: Row, index: number, pieces: readonly TurnPiece[], placement: Placement): Span[] {
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

  /** The template's generation marks beside the trained turns. */
  #compareMarks(
    { turns, messages, tools }: Row,
    text: string,
    targets: readonly Target[],
  ): Pick<RenderingNotes, "markedTurns" | "markDifferences"> {
    if (this.#marked === undefined || targets.length === 0) return { markedTurns: 0, markDifferences: [] };
    const ranges = markedRanges(this.#renderWith(this.#marked, messages, tools, false), text);
    const all = turns.every(({ turn, asPrompt }) => turn.role !== "assistant" || !asPrompt);
    return {
      markedTurns: targets.length,
      markDifferences: ranges === undefined ? [] : markDifferences(text, ranges, targets, all),
    };
  }

  #applyRow(
    messages: readonly ChatMessage[],
    tools: readonly string[] | undefined,
    generate: boolean,
    source: RowSource | undefined,
  ): string {
    try {
      return this.#apply(messages, tools, generate);
    } catch (cause) {
      if (cause instanceof TemplateError) throw cause;
      throw new TemplateError(NAME, `refuses the conversation: ${reasonOf(cause)}`, { source, cause });
    }
  }

  #apply(messages: readonly ChatMessage[], tools: readonly string[] | undefined, generate: boolean): string {
    return this.#renderWith(this.#jinja, messages, tools, generate);
  }

  /** Undefined where the template refuses the conversation. */
  #applyOrNot(messages: readonly ChatMessage[], tools: readonly string[] | undefined): string | undefined {
    try {
      return this.#apply(messages, tools, false);
    } catch (error) {
      rethrowLimit(error);
      return undefined;
    }
  }

  /** The rendering of a conversation that was changed to see what changes with it. */
  #changed(messages: readonly ChatMessage[], tools: readonly string[] | undefined): string | undefined {
    const text = this.#applyOrNot(messages, tools);
    return text === undefined ? undefined : this.#withoutTrailing(text);
  }

  #renderWith(
    jinja: BoundedJinja,
    messages: readonly ChatMessage[],
    tools: readonly string[] | undefined,
    generate: boolean,
  ): string {
    const own = tools === undefined ? {} : { tools: toolsVariable(tools) };
    try {
      return jinja.render({ ...this.#variables, ...own, messages, add_generation_prompt: generate });
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
    return this.#applyPrompt([{ role: "user", content: "?" }])?.startsWith(bos) === false;
  }

  #applyPrompt(messages: readonly ChatMessage[]): string | undefined {
    try {
      return this.#apply(messages, undefined, true);
    } catch (error) {
      rethrowLimit(error);
      return undefined;
    }
  }

  /** Tries out under which keys the template reads what not all templates know. */
  #probeStyle(): MessageStyle {
    const question = { role: "user", content: "\ue0f2" };
    const shows = (message: object): boolean =>
      this.#applyOrNot([question, { role: "assistant", ...message }], undefined)?.includes("\ue0f4") ?? false;
    const call = { id: "callcall0", type: "function", function: { name: "\ue0f4", arguments: {} } };
    const calls = (content: string | null): boolean => shows({ content, tool_calls: [call] });
    return {
      reasoningKey: REASONING_KEYS.find((key) => shows({ content: "\ue0f3", [key]: "\ue0f4" })),
      // Some templates take a message for one that only calls where its content is null, and for no other.
      emptyContent: !calls("") && calls(null) ? null : "",
    };
  }

  /** Renders a question and a completion to see what follows a completion, and which of it is a generation prompt. */
  #probeCompletion(): [suffix: string, trailing: string] {
    const question = { role: "user", content: "\ue0f2" };
    const completion = { role: "assistant", content: "\ue0f3" };
    const behindCompletion = (text: string): string =>
      text.slice(text.lastIndexOf(completion.content) + completion.content.length);
    try {
      const text = this.#apply([question, completion], undefined, false);
      const after = behindCompletion(text);
      if (this.#apply([question, completion], undefined, true) !== text) return [after, ""];
      const goesOn = behindCompletion(this.#apply([question, completion, question], undefined, false));
      const rest = after.slice(firstToken(after, this.#specialTexts)?.end ?? 0);
      const isPrompt = !goesOn.startsWith(after) && this.#apply([question], undefined, true).endsWith(rest);
      return isPrompt ? [after.slice(0, after.length - rest.length), rest] : [after, ""];
    } catch (error) {
      rethrowLimit(error);
      // A template that refuses this conversation is judged by the rows themselves.
      return ["", ""];
    }
  }
}

function completionOf(index: number): string {
  return `completion in turn ${index + 1}`;
}

/** Where the first text behind a turn's begins. */
function startAfter(
  placements: readonly (readonly (Placement | undefined)[])[],
  index: number,
  length: number,
): number {
  const later = placements.slice(index + 1).flat();
  return Math.min(length, ...later.flatMap((place) => (place === undefined ? [] : [place.start])));
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
