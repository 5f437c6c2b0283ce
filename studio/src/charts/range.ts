// A part of an axis, and its text in an address.

/** An end that is undefined is that of the data. */
export interface Range {
  readonly from: number | undefined;
  readonly to: number | undefined;
}

/** "3..7", "3.." and "..7"; undefined for all else. */
export function parseRange(text: string): Range | undefined {
  const [, first = "", last = ""] = /^([\d.e+-]*?)\.\.([\d.e+-]*)$/.exec(text) ?? [];
  const [from, to] = [first, last].map((end) => (end === "" ? undefined : Number(end)));
  const isRange =
    (from ?? to) !== undefined && (from ?? Number.NEGATIVE_INFINITY) < (to ?? Number.POSITIVE_INFINITY);
  return isRange ? { from, to } : undefined;
}

export function rangeText({ from, to }: Range): string | undefined {
  const text = (end: number | undefined): string =>
    end === undefined ? "" : String(Number(end.toPrecision(6)));
  return from === undefined && to === undefined ? undefined : `${text(from)}..${text(to)}`;
}
