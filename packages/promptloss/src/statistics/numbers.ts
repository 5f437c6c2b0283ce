// Numbers as the summaries print them.

/** Four significant digits, no exponent in the usual range. */
export function short(x: number, digits = 4): string {
  if (!Number.isFinite(x)) return "–";
  if (x === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(x)));
  if (magnitude < -5 || magnitude > 7) return x.toExponential(digits - 2);
  return x.toFixed(Math.min(8, Math.max(0, digits - 1 - magnitude)));
}

/** At most `digits` significant digits, without trailing zeros: a prompt loss weight, a ratio. */
export function trimmed(x: number, digits = 3): string {
  return Number.isFinite(x) ? String(Number(x.toPrecision(digits))) : "–";
}

/** A p-value: exact down to 0.001, an exponent below, `< 2e-16` at the end of double precision. */
export function pValue(p: number): string {
  if (!Number.isFinite(p)) return "–";
  if (p < 2e-16) return "< 2e-16";
  return p < 1e-3 ? p.toExponential(2) : p.toFixed(4);
}

/** The customary stars. */
export function stars(p: number): string {
  if (p < 0.001) return "***";
  if (p < 0.01) return "**";
  if (p < 0.05) return "*";
  return p < 0.1 ? "." : "";
}
