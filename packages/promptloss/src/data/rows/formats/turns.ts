// Building turns, and the order that they must have: an optional system turn, then user and assistant in turn,
// the assistant last.
import type { Part, PartClass, Role, Turn } from "../../example.ts";
import { RowProblem } from "../data-error.ts";
import { checkCompletion, type RowFields } from "./fields.ts";

/** What a role's words are to the loss. */
export const CLASS_OF_ROLE: Readonly<Record<Role, PartClass>> = {
  system: "system",
  user: "instruction",
  assistant: "completion",
};

export function part(partClass: PartClass, text: string, weight?: number): Part {
  return Object.freeze(
    weight === undefined ? { class: partClass, text } : { class: partClass, text, weight },
  );
}

export function turn(role: Role, parts: readonly Part[], weight?: number): Turn {
  const frozen = Object.freeze(parts);
  return Object.freeze(weight === undefined ? { role, parts: frozen } : { role, parts: frozen, weight });
}

/** A turn of one part, of its role's class. */
export function plainTurn(role: Role, text: string): Turn {
  return turn(role, [part(CLASS_OF_ROLE[role], text)]);
}

/** The turn of a row's system field, if it has one. */
export function systemTurn(row: RowFields): Turn[] {
  const system = row.optionalText("system") ?? "";
  return system === "" ? [] : [plainTurn("system", system)];
}

/** Throws a RowProblem where the roles don't follow each other as a dialogue's do. */
export function checkOrder(turns: readonly Turn[], field: string): void {
  if (!turns.some(({ role }) => role === "assistant")) {
    throw new RowProblem("no-assistant-turn", "no assistant turn: nothing to train on", { field });
  }
  let expected: Role = "user";
  for (const [i, { role }] of turns.entries()) {
    if (role === "system" && i === 0) continue;
    if (role !== expected) throw orderProblem(turns, i, expected, field);
    expected = role === "user" ? "assistant" : "user";
  }
  if (turns.at(-1)?.role !== "assistant") {
    throw new RowProblem("role-order", "the last turn is the user's: nothing answers it", {
      field,
      hint: "Take the last turn off, or add the answer.",
    });
  }
}

function orderProblem(turns: readonly Turn[], at: number, expected: Role, field: string): RowProblem {
  const { role } = turns[at]!;
  const message =
    role === "system"
      ? `turn ${at + 1} is the system's; only the first may be`
      : `turn ${at + 1} is the ${role}'s where the ${expected}'s was due`;
  const hint = role === turns[at - 1]?.role ? `Join the two ${role} turns into one.` : undefined;
  return new RowProblem("role-order", message, { field, hint });
}

/** Refuses turns without words. */
export function checkTexts(turns: readonly Turn[], field: string, row: RowFields): void {
  let assistants = 0;
  for (const [i, { role, parts }] of turns.entries()) {
    if (role === "assistant") {
      assistants++;
      const text = parts.map((item) => item.text).join("");
      checkCompletion(text, `${field}, assistant turn ${assistants}`, row);
    } else if (role === "user" && parts.every(({ text }) => text.trim() === "")) {
      throw new RowProblem("empty-prompt", `turn ${i + 1}, the user's, is empty`, { field });
    }
  }
}
