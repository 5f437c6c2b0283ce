// Examples for tests, built in one line each.
import type { ConversationExample, Part, Role, Turn } from "../src/data/example.ts";

const CLASS_OF = {
  system: "system",
  user: "instruction",
  assistant: "completion",
  tool: "tool-result",
} as const;

/** A turn of one part. */
export function turn(role: Role, text: string, weight?: number): Turn {
  return {
    role,
    parts: [weight === undefined ? { class: CLASS_OF[role], text } : { class: CLASS_OF[role], text, weight }],
  };
}

/** A conversation in row 1 of `test.jsonl`. */
export function conversation(...turns: Turn[]): ConversationExample {
  return {
    kind: "conversation",
    turns,
    source: { file: "test.jsonl", row: 1 },
  };
}

/** An Alpaca row. */
export function alpaca(instruction: string, input: string, output: string, row = 1): ConversationExample {
  const parts: Part[] = [{ class: "instruction", text: instruction }];
  if (input !== "") parts.push({ class: "input", text: input });
  const turns: Turn[] = [{ role: "user", parts }, turn("assistant", output)];
  return { kind: "conversation", turns, source: { file: "test.json", row } };
}

/** A conversation that starts with the user and alternates. */
export function dialogue(...texts: string[]): ConversationExample {
  return conversation(...texts.map((text, i) => turn(i % 2 === 0 ? "user" : "assistant", text)));
}
