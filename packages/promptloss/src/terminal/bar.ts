// A bar that is told from its rest without colors too.
import { ink } from "./ink.ts";

/** Columns of a bar where there is room. */
export const BAR = 24;

/** @param share from 0 to 1 */
export function bar(share: number, width = BAR): string {
  const filled = Math.round(width * Math.min(1, Math.max(0, share || 0)));
  return "━".repeat(filled) + ink.dim("─".repeat(width - filled));
}

const NARROWEST = 6;

/** A bar and a text on one line of at most `columns`: the bar gives way first, then the text's end. */
export function barLine(share: number, text: string, columns = Number.POSITIVE_INFINITY): string {
  const width = Math.min(BAR, Math.max(NARROWEST, columns - text.length - 1));
  return `${bar(share, width)} ${text.slice(0, Math.max(0, columns - width - 1))}`;
}
