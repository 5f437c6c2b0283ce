// Building turns, and the order that they must have: an optional system turn, then user and assistant in turn,
// the assistant last. Results of tools stand between an assistant's turn and its next.
import type { Part, PartClass, Role, ToolCall, Turn } from "../../example.ts";
import { RowProblem } from "../data-error.ts";
import { checkCompletion, type RowFields } from "./fields.ts";

/** What a role's words are to the loss. */
export const CLASS_OF_ROLE: Readonly<Record<Role, PartClass>> = {
  system: "system",
  user: "instruction",
  assistant: "completion",
  tool: "tool-result",
};

export function part(partClass: PartClass, text: string, weight?: number): Part {
  return Object.freeze(
    weight === undefined ? { class: partClass, text } : { class: partClass, text, weight },
  );
}

/** What a turn may have beside its words. Undefined is not there. */
export interface TurnExtras {
  readonly reasoning?: string | undefined;
  readonly toolCalls?: readonly ToolCall[] | undefined;
  readonly toolCallId?: string | undefined;
  readonly name?: string | undefined;
}

export function turn(role: Role, parts: readonly Part[], weight?: number, extras: TurnExtras = {}): Turn {
  const { reasoning, toolCalls, toolCallId, name } = extras;
  return Object.freeze({
    role,
    parts: Object.freeze(parts),
    ...(weight !== undefined && { weight }),
    ...(reasoning !== undefined && { reasoning }),
    ...(toolCalls !== undefined && { toolCalls: Object.freeze(toolCalls) }),
    ...(toolCallId !== undefined && { toolCallId }),
    ...(name !== undefined && { name }),
  });
}

/** A turn of one part, of its role's class. */
export function plainTurn(role: Role, text: string): Turn {
  return turn(role, [part(CLASS_OF_ROLE[role], text)]);
}

/** The turn of a row's system field, if it has one. */
export function systemTurn(row: RowFields): Turn[] {
  const system = row.optionalText("system") ?? "";
  return system === "" ? [] : [turn("system", systemParts(system))];
}

const TOOLS = /<tools>\s*([[{][\s\S]*?[\]}])\s*<\/tools>/;

/** The parts of a system message, in which Hermes spells tools out between <tools> and </tools>. */
export function systemParts(words: string): Part[] {
  const block = TOOLS.exec(words);
  if (block === null) return [part("system", words)];
  const start = block.index + block[0].indexOf(block[1]!);
  const end = start + block[1]!.length;
  const pieces = [
    ["system", words.slice(0, start)],
    ["tool-definition", words.slice(start, end)],
    ["system", words.slice(end)],
  ] as const;
  return pieces.flatMap(([name, text]) => (text === "" ? [] : [part(name, text)]));
}

/** @throws {RowProblem} where the roles don't follow each other as a dialogue's do */
export function checkOrder(turns: readonly Turn[], field: string): void {
  if (!turns.some(({ role }) => role === "assistant")) {
    throw new RowProblem("no-assistant-turn", "no assistant turn: nothing to train on", { field });
  }
  let expected: Role = "user";
  for (const [i, { role }] of turns.entries()) {
    if (role === "system" && i === 0) continue;
    const before = turns[i - 1]?.role;
    const isResult = role === "tool" && (before === "assistant" || before === "tool");
    if (!isResult && role !== expected) throw orderProblem(turns, i, expected, field);
    expected = role === "assistant" ? "user" : "assistant";
  }
  const last = turns.at(-1)!.role;
  if (last !== "assistant") {
    throw new RowProblem("role-order", `the last turn is the ${last}'s: nothing answers it`, {
      field,
      hint: "Take the last turn off, or add the answer.",
    });
  }
  checkCallIds(turns, field);
}

/** Refuses a result that names a call which the turn before did not make. */
function checkCallIds(turns: readonly Turn[], field: string): void {
  let made: readonly ToolCall[] = [];
  for (const [i, { role, toolCalls = [], toolCallId }] of turns.entries()) {
    if (role === "assistant") made = toolCalls;
    if (toolCallId === undefined || made.every(({ id }) => id === undefined)) continue;
    if (made.some(({ id }) => id === toolCallId)) continue;
    const ids = made.map(({ id }) => JSON.stringify(id)).join(", ");
    throw new RowProblem(
      "tool-call",
      `turn ${i + 1} is the result of the call ${JSON.stringify(toolCallId)}; the assistant's calls are ${ids}`,
      { field },
    );
  }
}

function orderProblem(turns: readonly Turn[], at: number, expected: Role, field: string): RowProblem {
  const { role } = turns[at]!;
  const message =
    role === "system"
      ? `turn ${at + 1} is the system's; only the first may be`
      : `turn ${at + 1} is the ${role}'s where the ${expected}'s was due`;
  const hint =
    role === "tool"
      ? "A tool's result follows the assistant's turn that called it."
      : role === turns[at - 1]?.role
        ? `Join the two ${role} turns into one.`
        : undefined;
  return new RowProblem("role-order", message, { field, hint });
}

/** Refuses turns without words. */
export function checkTexts(turns: readonly Turn[], field: string, row: RowFields): void {
  let assistants = 0;
  for (const [i, { role, parts, toolCalls, reasoning }] of turns.entries()) {
    if (role === "assistant") {
      assistants++;
      if (toolCalls !== undefined || reasoning !== undefined) continue;
      const text = parts.map((item) => item.text).join("");
      checkCompletion(text, `${field}, assistant turn ${assistants}`, row);
    } else if (role === "user" && parts.every(({ text }) => text.trim() === "")) {
      throw new RowProblem("empty-prompt", `turn ${i + 1}, the user's, is empty`, { field });
    }
  }
}
