// What was said: turns of the reader, each with an answer of every model that was asked.
import type { Message } from "./chat-client.ts";

export interface Answer {
  readonly text: string;
  readonly state: "waiting" | "writing" | "done" | "cut" | "stopped" | "failed";
  /** Why it failed. */
  readonly problem?: string;
}

export interface Turn {
  readonly prompt: string;
  /** By the model's id. */
  readonly answers: Readonly<Record<string, Answer>>;
}

/** What a model is sent: what was said to it, and its own answers. Turns that it did not answer are left out. */
export function messagesFor(
  model: string,
  turns: readonly Turn[],
  prompt: string,
  system: string,
): Message[] {
  const said = turns.flatMap((turn): Message[] => {
    const answer = turn.answers[model];
    if (answer === undefined || answer.text === "") return [];
    return [
      { role: "user", content: turn.prompt },
      { role: "assistant", content: answer.text },
    ];
  });
  const first: Message[] = system.trim() === "" ? [] : [{ role: "system", content: system }];
  return [...first, ...said, { role: "user", content: prompt }];
}

/** Turns with another answer of a model to the last one. */
export function answered(turns: readonly Turn[], model: string, answer: Answer): Turn[] {
  return turns.map((turn, i) =>
    i === turns.length - 1 ? { ...turn, answers: { ...turn.answers, [model]: answer } } : turn,
  );
}
