// Which assistant turns are trained, and the text of a turn with the class of each stretch of it.
import type { Part, PartClass, TokenClass, Turn } from "../example.ts";
import { withThinkBlock } from "../think-block.ts";
import { TemplateError } from "./errors.ts";

/**
 * The assistant turns whose completions are trained: all, the last, or a list of their numbers, counted from 1
 * among the assistant turns; -1 is the last. Numbers that a row does not have are passed over.
 */
export type TrainedTurns = "all" | "last" | readonly number[];

/** Checks a turn policy that came from outside. */
export function checkTrainedTurns(trained: TrainedTurns): void {
  if (trained === "all" || trained === "last") return;
  const valid = Array.isArray(trained) && trained.length > 0;
  if (!valid || !trained.every((number) => Number.isInteger(number) && number !== 0)) {
    throw new TemplateError(
      "turns",
      `${JSON.stringify(trained)} is not "all", "last" or a list of turn numbers`,
      {
        hint: "Turns are counted from 1; -1 is the last.",
      },
    );
  }
}

/** Whether a turn is a completion; an assistant's turn that a row gives as context is none. */
export function isCompletion({ role, parts }: Turn): boolean {
  return role === "assistant" && parts.some((part) => isWritten(part.class));
}

/** Whether an assistant writes it. */
function isWritten(name: PartClass): boolean {
  return name === "completion" || name === "reasoning";
}

/** The positions, among all turns, of the completions that the policy trains. */
export function trainedTurnIndices(turns: readonly Turn[], trained: TrainedTurns): ReadonlySet<number> {
  const assistants = turns.flatMap((turn, index) => (isCompletion(turn) ? [index] : []));
  if (trained === "all") return new Set(assistants);
  const numbers = trained === "last" ? [-1] : trained;
  const chosen = numbers.map((number) => assistants.at(number > 0 ? number - 1 : number));
  return new Set(
    chosen.filter(
      (index, i) => index !== undefined && Math.abs(numbers[i]!) <= assistants.length,
    ) as number[],
  );
}

/** A stretch of a turn's text. */
export interface TurnPiece {
  readonly text: string;
  readonly class: TokenClass;
  /** In place of the class's weight. */
  readonly weight?: number | undefined;
  /** A factor on the class's weight. */
  readonly scale?: number | undefined;
}

/** Between an instruction and its input where a template has one place for both. */
export const INPUT_SEPARATOR = "\n";

/**
 * The pieces of a turn in order. Between parts of different classes stands the separator, unless one side is
 * empty; parts of one class follow each other directly. `asPrompt` makes an assistant's words context: what the
 * data weighs them with as a completion is then a factor on the prompt's weight, so that 0 stays 0 and no more is trained.
 */
export function turnPieces(turn: Turn, asPrompt: boolean): TurnPiece[] {
  const pieces: TurnPiece[] = [];
  let previous: PartClass | undefined;
  for (const part of turn.parts) {
    if (part.text === "") continue;
    if (turn.role === "user" && previous !== undefined && previous !== part.class) {
      pieces.push({ text: INPUT_SEPARATOR, class: "template" });
    }
    previous = part.class;
    const weight = part.weight ?? turn.weight;
    const isContext = turn.role === "assistant" && (asPrompt || !isWritten(part.class));
    const own = isContext ? { scale: weight } : { weight };
    pieces.push({ text: part.text, class: asPrompt && isWritten(part.class) ? "input" : part.class, ...own });
  }
  return pieces;
}

/** What an assistant's reasoning or call is to the loss: context where the turn is not trained. */
export function writtenPiece(
  turn: Turn,
  name: "reasoning" | "tool-call",
  text: string,
  asPrompt: boolean,
): TurnPiece {
  const { weight } = turn;
  return asPrompt || !isCompletion(turn)
    ? { text, class: "input", scale: weight }
    : { text, class: name, weight };
}

/** A turn with its reasoning inside its words, in <think> marks. */
export function reasoningInWords(turn: Turn): Turn {
  const { reasoning, ...rest } = turn;
  if (reasoning === undefined) return turn;
  const [before, behind] = withThinkBlock("\ue0f2", "").split("\ue0f2") as [string, string];
  const name = isCompletion(turn) ? "completion" : "input";
  const parts: Part[] = [
    { class: name, text: before },
    { class: name === "input" ? "input" : "reasoning", text: reasoning.trim() },
    { class: name, text: behind },
    ...turn.parts,
  ];
  return { ...rest, parts };
}

/** What of a conversation a template of strings has no place for; undefined where there is nothing of the kind. */
export function toolUse({
  turns,
  tools,
}: {
  turns: readonly Turn[];
  tools?: readonly string[];
}): string | undefined {
  const calling = turns.findIndex(({ toolCalls }) => toolCalls !== undefined);
  if (calling >= 0) return `the tool calls of turn ${calling + 1}`;
  const result = turns.findIndex(({ role }) => role === "tool");
  if (result >= 0) return `the tool's result in turn ${result + 1}`;
  return tools === undefined ? undefined : "the row's tools";
}

/** Factors on the weights of what a template writes for a turn: up to the end of its words, and behind them. */
export interface TurnScales {
  readonly head: number | undefined;
  readonly end: number | undefined;
}

/** A turn without a weight of its own ends with that of its last part. */
export function turnScales({ weight, parts }: Turn): TurnScales {
  return { head: weight, end: weight ?? parts.at(-1)?.weight };
}

export function piecesText(pieces: readonly TurnPiece[]): string {
  return pieces.map(({ text }) => text).join("");
}

/** Takes white space off both ends of the pieces' text. */
export function trimPieces(pieces: readonly TurnPiece[]): TurnPiece[] {
  const text = piecesText(pieces);
  const start = text.length - text.trimStart().length;
  return slicePieces(pieces, start, Math.max(start, text.trimEnd().length));
}

/** The pieces between two positions of their joined text. */
export function slicePieces(pieces: readonly TurnPiece[], start: number, end: number): TurnPiece[] {
  const kept: TurnPiece[] = [];
  let position = 0;
  for (const piece of pieces) {
    const from = Math.max(start - position, 0);
    const text = piece.text.slice(from, Math.max(from, end - position));
    if (text !== "") kept.push({ ...piece, text });
    position += piece.text.length;
  }
  return kept;
}
