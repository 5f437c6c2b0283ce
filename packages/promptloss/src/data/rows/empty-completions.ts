// What is done with rows whose completion is empty.
export const EMPTY_COMPLETIONS = ["skip", "refuse", "keep"] as const;

export type EmptyCompletions = (typeof EMPTY_COMPLETIONS)[number];
