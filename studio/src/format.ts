// Numbers in words, as the command line has them.
export {
  bytes,
  count,
  duration,
  percent,
  rate,
  short,
} from "../../packages/promptloss/src/cli/train/format.ts";

import { trimmed } from "../../packages/promptloss/src/statistics/numbers.ts";

export { trimmed };

export const MISSING = "–";

/** A loss; a dash for null. */
export function lossText(value: number | null | undefined): string {
  return value === null || value === undefined ? MISSING : value.toFixed(4);
}

/** On the axes of charts. */
export function fourDigits(y: number): string {
  return trimmed(y, 4);
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

/** An ISO date in the reader's own form. */
export function dateText(iso: string): string {
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) ? iso : moment.format(date);
}
