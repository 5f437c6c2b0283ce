// Numbers as the live view and the plan show them.

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** 15,191,712 → "15.2 M". */
export function short(value: number): string {
  const [divisor, unit] =
    value >= 1e9 ? [1e9, " B"] : value >= 1e6 ? [1e6, " M"] : value >= 1e4 ? [1e3, " k"] : [1, ""];
  const scaled = value / divisor;
  return `${scaled >= 100 || divisor === 1 ? Math.round(scaled) : scaled.toFixed(1)}${unit}`;
}

export function bytes(value: number): string {
  return value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(1)} GiB` : `${Math.round(value / 2 ** 20)} MiB`;
}

/** 3725 → "1 h 02 min". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

export function loss(value: number | undefined): string {
  return value === undefined ? "–" : value.toFixed(4);
}

export function percent(value: number | undefined): string {
  return value === undefined ? "–" : `${(100 * value).toFixed(1)} %`;
}

export function rate(value: number): string {
  return value.toExponential(2);
}
