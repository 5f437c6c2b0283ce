import { expect, test } from "vitest";
import { answered, messagesFor, type Turn } from "./conversation.ts";

const turns: readonly Turn[] = [
  { prompt: "One?", answers: { a: { text: "1", state: "done" }, b: { text: "I", state: "done" } } },
  { prompt: "Two?", answers: { a: { text: "", state: "failed", problem: "no" } } },
];

test("each model is sent its own answers, and no turn that it did not answer", () => {
  expect(messagesFor("a", turns, "Three?", "").map(({ content }) => content)).toEqual([
    "One?",
    "1",
    "Three?",
  ]);
  expect(messagesFor("b", turns, "Three?", " ").map(({ content }) => content)).toEqual([
    "One?",
    "I",
    "Three?",
  ]);
  expect(messagesFor("c", turns, "Three?", "Be brief.")).toEqual([
    { role: "system", content: "Be brief." },
    { role: "user", content: "Three?" },
  ]);
});

test("an answer goes to the last turn, and to its model alone", () => {
  const next = answered(turns, "b", { text: "II", state: "done" });
  expect(next[0]).toBe(turns[0]);
  expect(next[1]!.answers).toEqual({ ...turns[1]!.answers, b: { text: "II", state: "done" } });
});
