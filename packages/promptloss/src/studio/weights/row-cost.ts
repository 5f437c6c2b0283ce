// What it costs to encode a row: each completion is encoded behind all that is before it, so long conversations cost the
// product of their turns and their characters. A page answers in seconds, so that costly rows are left to commands.
import { counted } from "../../counted.ts";
import type { Example } from "../../data/example.ts";

/** Of one row: characters, and characters times completions. About a second on two cores. */
const MOST = { characters: 2 ** 18, cost: 2 ** 19 } as const;

/** Of the rows that one answer encodes, together. */
const ANSWER_COST = 2 ** 22;

interface RowSize {
  readonly characters: number;
  readonly completions: number;
}

function sizeOf(example: Example): RowSize {
  if (example.kind === "tokens") return { characters: example.inputIds.length, completions: 1 };
  if (example.kind === "text") return { characters: example.text.length, completions: 1 };
  let characters = (example.tools ?? []).reduce((sum, tool) => sum + tool.length, 0);
  for (const { parts, reasoning = "", toolCalls = [] } of example.turns)
    characters +=
      parts.reduce((sum, { text }) => sum + text.length, reasoning.length) +
      toolCalls.reduce((sum, call) => sum + call.arguments.length, 0);
  const completions = example.turns.filter(({ role }) => role === "assistant").length;
  return { characters, completions: Math.max(1, completions) };
}

/** Why a row is left to commands; undefined for one that is encoded. */
export function tooCostly(example: Example): string | undefined {
  const { characters, completions } = sizeOf(example);
  if (characters <= MOST.characters && characters * completions <= MOST.cost) return undefined;
  return `${counted(characters, "character")} in ${counted(completions, "completion")} are more than this page encodes; training takes the row`;
}

/** The first rows that one answer encodes. */
export function affordable(examples: readonly Example[], most: number): Example[] {
  const chosen: Example[] = [];
  let cost = 0;
  for (const example of examples) {
    const { characters, completions } = sizeOf(example);
    cost += characters * completions;
    if (chosen.length >= most || (cost > ANSWER_COST && chosen.length > 0)) break;
    chosen.push(example);
  }
  return chosen;
}
