// Reasoning inside an assistant's words, between <think> and </think> at their beginning. Some models' prompts end with
// <think>, so that only the closing mark stands in the words.

/** What an assistant thought, by the names that messages of data sets and of chat templates have for it. */
export const REASONING_KEYS = ["reasoning_content", "reasoning", "thinking"] as const;

/** Positions in a text, in UTF-16 units. */
export interface ThinkBlock {
  /** The reasoning without the white space around it; of one length 0 where the block is empty. */
  readonly start: number;
  readonly end: number;
  /** Where the answer begins, behind the closing mark and the white space after it. */
  readonly answer: number;
}

const OPEN = /^\s*<think>/;
const CLOSE = "</think>";

/** Undefined where the text has no whole block at its beginning. */
export function thinkBlock(text: string): ThinkBlock | undefined {
  const close = text.indexOf(CLOSE);
  if (close < 0) return undefined;
  const open = OPEN.exec(text)?.[0].length ?? 0;
  const inner = text.slice(open, close);
  const start = open + inner.length - inner.trimStart().length;
  const end = Math.max(start, open + inner.trimEnd().length);
  const behind = text.slice(close + CLOSE.length);
  return { start, end, answer: text.length - behind.trimStart().length };
}

/** An answer with its reasoning in front, as most models write the two. */
export function withThinkBlock(reasoning: string, answer: string): string {
  return `<think>\n${reasoning}\n</think>\n\n${answer}`;
}
