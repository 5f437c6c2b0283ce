// Values of any kind in errors, and as numbers: without asking an object how it wants to be written or counted, which may
// take for ever (arrays that hold each other), fail, or run code of its own.

/** A primitive as it is; of anything else what kind it is. */
export function shown(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return typeof value === "function" ? "a function" : String(value);
}

/** NaN for what is no number. */
export function numberOf(value: unknown): number {
  return typeof value === "number" || typeof value === "bigint" ? Number(value) : Number.NaN;
}
