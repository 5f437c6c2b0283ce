// Templates made of strings with placeholders: the named ones and users' own. What stands between the place
// where the model takes over and its stop token is written by the model, so it is completion.
import { createHash } from "node:crypto";
import type { ConversationExample, Turn } from "../example.ts";
import type { Tokenizer } from "../tokenizer/index.ts";
import { TemplateError } from "./errors.ts";
import type { TemplateStrings } from "./named.ts";
import { hasSlot, type Pattern, type Placeholder, parsePattern } from "./pattern.ts";
import { patternJinja, SINGLE_TURN } from "./pattern-jinja.ts";
import { NO_NOTES, type Prompt, type Rendering, RenderingBuilder, type Template } from "./rendering.ts";
import {
  reasoningInWords,
  type TrainedTurns,
  type TurnPiece,
  toolUse,
  trainedTurnIndices,
  trimPieces,
  turnPieces,
  turnScales,
} from "./turns.ts";

type PatternKey = "start" | "system" | "userWithSystem" | "user" | "userWithInput" | "assistant";

const KEYS: readonly PatternKey[] = [
  "start",
  "system",
  "userWithSystem",
  "user",
  "userWithInput",
  "assistant",
];

/** The placeholders that mean something in each string. */
const ALLOWED: Readonly<Record<PatternKey, readonly Placeholder[]>> = {
  start: ["bos"],
  system: ["bos", "stop", "system"],
  userWithSystem: ["bos", "stop", "system", "instruction", "input"],
  user: ["bos", "stop", "instruction", "input"],
  userWithInput: ["bos", "stop", "instruction", "input"],
  assistant: ["bos", "begin", "output", "stop"],
};

/** Text that looks like a special token: `<|…|>`. */
const LOOKS_SPECIAL = /<\|[^<>|\s]+\|>/g;

/** A template of strings. */
export class PatternTemplate implements Template {
  readonly name: string;
  readonly fingerprint: string;
  readonly warnings: readonly string[];
  readonly #patterns: ReadonlyMap<PatternKey, Pattern>;
  readonly #strings: TemplateStrings;
  readonly #bos: string;
  readonly #eos: string;

  /** @throws {TemplateError} when a string has an unknown placeholder or lacks the one that it is for */
  constructor(name: string, strings: TemplateStrings, tokenizer: Pick<Tokenizer, "special" | "idOf">) {
    this.name = name;
    this.#strings = strings;
    this.#bos = tokenizer.special.bos ?? "";
    this.#eos = tokenizer.special.eos ?? "";
    const sources = KEYS.flatMap((key) => (strings[key] === undefined ? [] : [[key, strings[key]] as const]));
    this.#patterns = new Map(sources.map(([key, source]) => [key, parsePattern(name, source)]));
    for (const [key, pattern] of this.#patterns) this.#checkSlots(key, pattern);
    this.#require("assistant", "output");
    this.#require("user", "instruction");
    this.warnings = sources
      .flatMap(([, source]) => source.match(LOOKS_SPECIAL) ?? [])
      .filter((token, i, all) => all.indexOf(token) === i && tokenizer.idOf(token) === undefined)
      .map(
        (token) => `template ${name}: ${token} is not a token of this tokenizer; it is written out in pieces`,
      );
    const decisive = JSON.stringify([strings, this.#bos, this.#eos]);
    this.fingerprint = `${name}:${createHash("sha256").update(decisive).digest("hex")}`;
  }

  jinja(prefix: string): string {
    return patternJinja({
      name: this.name,
      strings: this.#strings,
      patterns: this.#patterns,
      bos: this.#bos,
      eos: this.#eos,
      prefix,
    });
  }

  render(example: ConversationExample, trained: TrainedTurns): Rendering[] {
    const turns = example.turns.map(reasoningInWords);
    const unplaced = toolUse(example);
    if (unplaced !== undefined)
      throw this.#error(example, `has no place for ${unplaced}`, {
        hint: "Use template: tokenizer for the model's own chat template, or leave tools out with columns: { tools: null }.",
      });
    if (this.#strings.singleTurn === true && turns.map(({ role }) => role).join() !== "user,assistant") {
      throw this.#error(example, "takes one user turn and one assistant turn", {
        hint: "Use template: chatml, or template: tokenizer for the model's own chat template.",
      });
    }
    const chosen = trainedTurnIndices(turns, trained);
    const builder = new RenderingBuilder();
    this.#write(builder, "start", new Map());
    let system: TurnPiece[] | undefined;
    for (const [index, turn] of turns.entries()) {
      const isTarget = chosen.has(index);
      const pieces = this.#pieces(turn, !isTarget);
      const start = builder.length;
      let wordsEnd = start;
      if (turn.role === "system") {
        if (this.#patterns.has("system"))
          wordsEnd = this.#write(builder, "system", new Map([["system", pieces]]));
        else if (this.#patterns.has("userWithSystem") && turns[index + 1]?.role === "user") system = pieces;
        else throw this.#error(example, `has no place for the system message of turn ${index + 1}`);
      } else if (turn.role === "user") {
        wordsEnd = this.#writeUser(builder, turn, pieces, system);
        system = undefined;
      } else {
        wordsEnd = this.#writeAssistant(builder, pieces, isTarget ? index : undefined);
      }
      const { head, end } = turnScales(turn);
      builder.scale({ start, end: wordsEnd, scale: head });
      builder.scale({ start: wordsEnd, end: builder.length, scale: end });
    }
    const reasoningInContent = example.turns.filter(({ reasoning }) => reasoning !== undefined).length;
    const rendering = builder.build(this.#bos === "" || !builder.startsWith(this.#bos));
    return [
      reasoningInContent === 0 ? rendering : { ...rendering, notes: { ...NO_NOTES, reasoningInContent } },
    ];
  }

  renderPrompt(turns: readonly Turn[], tools?: readonly string[]): Prompt {
    if (this.#strings.singleTurn === true && turns.map(({ role }) => role).join() !== "user")
      throw new TemplateError(this.name, SINGLE_TURN.message, { hint: SINGLE_TURN.hint });
    const completion: Turn = { role: "assistant", parts: [{ class: "completion", text: "?" }] };
    const source = { file: "prompt", row: 1 };
    const own = tools === undefined || tools.length === 0 ? {} : { tools };
    const [rendering] = this.render(
      { kind: "conversation", turns: [...turns, completion], ...own, source },
      "last",
    );
    const { text, targets, addsPrefix } = rendering!;
    return { text: text.slice(0, targets[0]!.start), addsPrefix };
  }

  #pieces(turn: Turn, asPrompt: boolean): TurnPiece[] {
    const pieces = turnPieces(turn, asPrompt);
    return this.#strings.trim === true ? trimPieces(pieces) : pieces;
  }

  #writeUser(
    builder: RenderingBuilder,
    turn: Turn,
    pieces: TurnPiece[],
    system: TurnPiece[] | undefined,
  ): number {
    const inputs = turn.parts.filter((part) => part.class === "input" && part.text !== "");
    const base: PatternKey = system === undefined ? "user" : "userWithSystem";
    const key =
      inputs.length > 0 && system === undefined && this.#patterns.has("userWithInput")
        ? "userWithInput"
        : base;
    const values = new Map<string, TurnPiece[]>([["system", system ?? []]]);
    if (hasSlot(this.#patterns.get(key)!, "input")) {
      const rest = turn.parts.filter((part) => part.class !== "input");
      values.set("instruction", this.#pieces({ ...turn, parts: rest }, true));
      values.set("input", this.#pieces({ ...turn, parts: inputs }, true));
    } else {
      values.set("instruction", pieces);
    }
    return this.#write(builder, key, values);
  }

  /** Writes an assistant turn; as a target where it is trained, as context otherwise. Returns where its words end. */
  #writeAssistant(builder: RenderingBuilder, pieces: TurnPiece[], target: number | undefined): number {
    const pattern = this.#patterns.get("assistant")!;
    const begin = hasSlot(pattern, "begin") ? "begin" : "output";
    const hasStop = hasSlot(pattern, "stop");
    let start = -1;
    let end = -1;
    let wordsEnd = -1;
    for (const piece of pattern) {
      const generating = start >= 0 && end < 0;
      if (piece.kind === "text") {
        builder.append(piece.text, generating && target !== undefined ? "completion" : "template");
        continue;
      }
      if (piece.slot === begin) start = builder.length;
      if (piece.slot === "output") {
        for (const { text, class: tokenClass, ...own } of pieces) builder.append(text, tokenClass, own);
        wordsEnd = builder.length;
        if (!hasStop) end = builder.length;
      } else if (piece.slot === "stop") {
        builder.append(piece.argument ?? this.#eos, target === undefined ? "template" : "end");
        end = builder.length;
      } else if (piece.slot === "bos") {
        builder.append(this.#bos, "template");
      }
    }
    if (target !== undefined) builder.addTarget({ turn: target, start, end });
    return wordsEnd;
  }

  /** Writes any other pattern; returns where the last of the values ends. */
  #write(builder: RenderingBuilder, key: PatternKey, values: ReadonlyMap<string, TurnPiece[]>): number {
    const special: Record<string, string> = { bos: this.#bos, stop: this.#eos };
    let wordsEnd = builder.length;
    for (const piece of this.#patterns.get(key) ?? []) {
      if (piece.kind === "text") builder.append(piece.text, "template");
      else if (values.has(piece.slot)) {
        for (const { text, class: tokenClass, ...own } of values.get(piece.slot)!) {
          builder.append(text, tokenClass, own);
        }
        wordsEnd = builder.length;
      } else builder.append(piece.argument ?? special[piece.slot] ?? "", "template");
    }
    return wordsEnd;
  }

  #checkSlots(key: PatternKey, pattern: Pattern): void {
    for (const piece of pattern) {
      if (piece.kind === "slot" && !ALLOWED[key].includes(piece.slot)) {
        throw new TemplateError(this.name, `{${piece.slot}} has no meaning in the ${key} string`, {
          hint: `There it takes ${ALLOWED[key].map((slot) => `{${slot}}`).join(" ")}.`,
        });
      }
    }
  }

  #require(key: PatternKey, slot: "output" | "instruction"): void {
    const count = this.#patterns
      .get(key)!
      .filter((piece) => piece.kind === "slot" && piece.slot === slot).length;
    if (count !== 1) {
      throw new TemplateError(this.name, `${count === 0 ? "lacks" : "repeats"} {${slot}}`, {
        hint: "A template string holds {instruction} and {output} once each, and {input} if it likes.",
      });
    }
  }

  #error(example: ConversationExample, message: string, options: { hint?: string } = {}): TemplateError {
    return new TemplateError(this.name, message, { ...options, source: example.source });
  }
}

/**
 * Reads a user's own single-turn template, as in `"Q: {instruction}\n{input}\nA: {output}"`. The stop token is
 * put behind the output unless the string says where it goes.
 */
export function customStrings(source: string): TemplateStrings {
  const at = source.indexOf("{output}");
  if (at < 0) {
    throw new TemplateError("custom", "lacks {output}", {
      hint: "A template string holds {instruction} and {output} once each, and {input} if it likes.",
    });
  }
  const begin = source.indexOf("{begin}");
  const cut = begin >= 0 && begin < at ? begin : at;
  const rest = source.slice(cut);
  const assistant = rest.includes("{stop") ? rest : rest.replace("{output}", "{output}{stop}");
  return { user: source.slice(0, cut), assistant, singleTurn: true };
}
