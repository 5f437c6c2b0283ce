// A conversation as a chat template gets it: messages of role and content, with reasoning, tool calls and results under
// the keys that templates know, and the texts in them that are looked for in a rendering.
import type { ToolCall, Turn } from "../example.ts";
import { thinkBlock } from "../think-block.ts";
import { JsonText } from "./jinja-json.ts";
import {
  piecesText,
  reasoningInWords,
  slicePieces,
  type TurnPiece,
  turnPieces,
  writtenPiece,
} from "./turns.ts";

export type ChatMessage = Readonly<Record<string, unknown>> & { readonly role: string };

/** How a template wants what not all templates know. */
export interface MessageStyle {
  /** The key of an assistant's reasoning; undefined where it stands in the content. */
  readonly reasoningKey: string | undefined;
  /** The content of who only calls tools. */
  readonly emptyContent: "" | null;
}

/** A text that a template puts somewhere. */
export interface ChatText {
  readonly kind: "content" | "reasoning";
  readonly text: string;
  readonly pieces: readonly TurnPiece[];
}

export interface ChatTurn {
  readonly turn: Turn;
  /** Whether its words are not trained. */
  readonly asPrompt: boolean;
  readonly texts: readonly ChatText[];
  /** Whether there is nothing but a role and words. */
  readonly isPlain: boolean;
  /** Whether the row keeps its reasoning apart from its words. */
  readonly hasReasoning: boolean;
  /** The message with other texts in the place of these, and another call in the place of one. */
  message(texts: readonly string[], call?: { readonly index: number; readonly other: ToolCall }): ChatMessage;
  /** Of each call, what it is to the loss. */
  readonly calls: readonly TurnPiece[];
}

/** @param asPrompt whether an assistant's words are context */
export function chatTurn(given: Turn, asPrompt: boolean, style: MessageStyle): ChatTurn {
  const turn = style.reasoningKey === undefined ? reasoningInWords(given) : given;
  const { role, reasoning, toolCalls = [] } = turn;
  const pieces = turnPieces(turn, asPrompt);
  const content = piecesText(pieces);
  const block = role === "assistant" ? thinkBlock(content) : undefined;
  const stretches: [kind: ChatText["kind"], start: number, end: number][] =
    block === undefined
      ? [["content", 0, content.length]]
      : [
          ["reasoning", block.start, block.end],
          ["content", block.answer, content.length],
        ];
  // Words that are not there may be laid out otherwise than any that are.
  const isKept = (text: string): boolean =>
    text.trim() !== "" || (toolCalls.length === 0 && block === undefined);
  const kept = stretches.filter(([, start, end]) => isKept(content.slice(start, end)));
  const inContent = kept.map(([kind, start, end]) => ({
    kind,
    text: content.slice(start, end),
    pieces: slicePieces(pieces, start, end),
  }));
  const own =
    reasoning === undefined
      ? []
      : [
          {
            kind: "reasoning" as const,
            text: reasoning,
            pieces: [writtenPiece(turn, "reasoning", reasoning, asPrompt)],
          },
        ];
  return {
    turn,
    asPrompt,
    texts: [...own, ...inContent],
    hasReasoning: given.reasoning !== undefined,
    isPlain:
      own.length === 0 &&
      block === undefined &&
      [turn.toolCalls, turn.toolCallId, turn.name].every((each) => each === undefined),
    calls: toolCalls.map(({ name }) => writtenPiece(turn, "tool-call", name, asPrompt)),
    message(texts, call) {
      const others = texts.slice(own.length);
      let written = "";
      let cursor = 0;
      for (const [i, [, start, end]] of kept.entries()) {
        written += content.slice(cursor, start) + others[i];
        cursor = end;
      }
      written += content.slice(cursor);
      const calls = toolCalls.map((each, i) => (i === call?.index ? call.other : each));
      return {
        role,
        content: written === "" && calls.length > 0 ? style.emptyContent : written,
        ...(own.length > 0 && { [style.reasoningKey!]: texts[0] }),
        ...(calls.length > 0 && { tool_calls: calls.map(callMessage) }),
        ...(turn.toolCallId !== undefined && { tool_call_id: turn.toolCallId }),
        ...(turn.name !== undefined && { name: turn.name }),
      };
    },
  };
}

function callMessage({ id, name, arguments: given }: ToolCall): unknown {
  return {
    ...(id !== undefined && { id }),
    type: "function",
    function: { name, arguments: new JsonText(given) },
  };
}

/** The message of a turn as it is. */
export function messageOf(turn: ChatTurn): ChatMessage {
  return turn.message(turn.texts.map(({ text }) => text));
}

/** What a template's layout depends on where nothing but roles and words is in the turns; undefined where more is. */
export function layoutKey(
  turns: readonly ChatTurn[],
  tools: readonly string[] | undefined,
): string | undefined {
  return tools === undefined && turns.every(({ isPlain }) => isPlain)
    ? turns.map(({ turn }) => turn.role).join()
    : undefined;
}

/** A row's tools as a template's variable. */
export function toolsVariable(tools: readonly string[]): JsonText {
  return new JsonText(`[${tools.join(",")}]`);
}
