// Examples for tests, built in one line each.
import type { ConversationExample, Part, Role, Turn } from "../src/data/example.ts";

const CLASS_OF = { system: "system", user: "instruction", assistant: "completion" } as const;

/** A turn of one part. */
export const turn = (role: Role, text: string, weight?: number): Turn => ({
  role,
  parts: [weight === undefined ? { class: CLASS_OF[role], text } : { class: CLASS_OF[role], text, weight }],
});

/** A conversation in row 1 of `test.jsonl`. */
export const conversation = (...turns: Turn[]): ConversationExample => ({
  kind: "conversation",
  turns,
  source: { file: "test.jsonl", row: 1 },
});

/** An Alpaca row. */
export const alpaca = (instruction: string, input: string, output: string, row = 1): ConversationExample => {
  const parts: Part[] = [{ class: "instruction", text: instruction }];
  if (input !== "") parts.push({ class: "input", text: input });
  const turns: Turn[] = [{ role: "user", parts }, turn("assistant", output)];
  return { kind: "conversation", turns, source: { file: "test.json", row } };
};

/** A conversation that starts with the user and alternates. */
export const dialogue = (...texts: string[]): ConversationExample =>
  conversation(...texts.map((text, i) => turn(i % 2 === 0 ? "user" : "assistant", text)));
