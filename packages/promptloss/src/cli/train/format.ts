// Numbers as the live view and the plan show them.

export const count = (value: number): string => value.toLocaleString("en-US");

/** "1 epoch", "3 epochs". */
export const counted = (value: number, one: string): string =>
  `${count(value)} ${value === 1 ? one : `${one}s`}`;

/** 15,191,712 → "15.2 M". */
export const short = (value: number): string => {
  const [divisor, unit] =
    value >= 1e9 ? [1e9, " B"] : value >= 1e6 ? [1e6, " M"] : value >= 1e4 ? [1e3, " k"] : [1, ""];
  const scaled = value / divisor;
  return `${scaled >= 100 || divisor === 1 ? Math.round(scaled) : scaled.toFixed(1)}${unit}`;
};

export const bytes = (value: number): string =>
  value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(1)} GiB` : `${Math.round(value / 2 ** 20)} MiB`;

/** 3725 → "1 h 02 min". */
export const duration = (seconds: number): string => {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
};

export const loss = (value: number | undefined): string => (value === undefined ? "–" : value.toFixed(4));

export const percent = (value: number | undefined): string =>
  value === undefined ? "–" : `${(100 * value).toFixed(1)} %`;

export const rate = (value: number): string => value.toExponential(2);
