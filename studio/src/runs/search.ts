import type { RunCard } from "promptloss/studio";

/** Whether a run's name, model or state has every word. */
export function fits({ name, model, state }: RunCard, words: string): boolean {
  const text = `${name} ${model} ${state}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
