// Colours for weights, by the terminal's 256: grey for 0, a ramp from blue to green up to 1, violet above. The ramp
// is even in w_p = weight^0.30103, the paper's variable, so that 0.01 and 0.1 can be told apart.

/** How a token is drawn. `odd` alternates, so that neighbours can be told apart. */
export interface Palette {
  weight(text: string, weight: number, odd: boolean): string;
  special(text: string, weight: number, odd: boolean): string;
  cut(text: string): string;
  bold(text: string): string;
  dim(text: string): string;
}

const RESET = "\x1b[0m";

/** Backgrounds from small weights to 1, each in two shades. */
const RAMP = [
  [17, 18],
  [18, 19],
  [24, 25],
  [23, 30],
  [29, 30],
  [22, 28],
] as const;
const ABOVE = [54, 55] as const;

const style = (weight: number, odd: boolean): string => {
  const shade = odd ? 1 : 0;
  if (weight === 0) return `\x1b[38;5;${odd ? 246 : 242}m`;
  const level = Math.min(RAMP.length - 1, Math.floor(weight ** 0.30103 * (RAMP.length - 1)));
  const background = weight > 1 ? ABOVE[shade] : RAMP[level]![shade];
  return `\x1b[38;5;255;48;5;${background}m`;
};

export const paint: Palette = {
  weight: (text, weight, odd) => `${style(weight, odd)}${text}${RESET}`,
  special: (text, weight, odd) => `${style(weight, odd)}\x1b[1;3m${text}${RESET}`,
  cut: (text) => `\x1b[9;38;5;203m${text}${RESET}`,
  bold: (text) => `\x1b[1m${text}${RESET}`,
  dim: (text) => `\x1b[2m${text}${RESET}`,
};

const same = (text: string): string => text;

export const plain: Palette = { weight: same, special: same, cut: same, bold: same, dim: same };

/** A weight on its own colour, for the legend. */
export const swatch = (weight: number): string =>
  paint.weight(` ${Number(weight.toPrecision(4))} `, weight, false);
