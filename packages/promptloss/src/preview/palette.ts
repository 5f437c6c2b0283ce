// Colors for weights, by the terminal's 256: gray for 0, a ramp from blue to green up to 1, violet above. The ramp
// is even in w_p = weight^0.30103, the paper's variable, so that 0.01 and 0.1 can be told apart.
import { controlMark } from "../terminal/index.ts";

/** How a token is drawn. `odd` alternates, so that neighbors can be told apart. */
export interface Palette {
  weight(text: string, weight: number, odd: boolean): string;
  special(text: string, weight: number, odd: boolean): string;
  cut(text: string): string;
  bold(text: string): string;
  dim(text: string): string;
}

function styled(codes: string, text: string): string {
  return `${controlMark()}[${codes}m${text}${controlMark()}[0m`;
}

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

/** Codes of the terminal. */
function style(weight: number, odd: boolean): string {
  const shade = odd ? 1 : 0;
  if (weight === 0) return `38;5;${odd ? 246 : 242}`;
  const level = Math.min(RAMP.length - 1, Math.floor(weight ** 0.30103 * (RAMP.length - 1)));
  const background = weight > 1 ? ABOVE[shade] : RAMP[level]![shade];
  return `38;5;255;48;5;${background}`;
}

export const paint: Palette = {
  weight: (text, weight, odd) => styled(style(weight, odd), text),
  special: (text, weight, odd) => styled(`${style(weight, odd)};1;3`, text),
  cut: (text) => styled("9;38;5;203", text),
  bold: (text) => styled("1", text),
  dim: (text) => styled("2", text),
};

function same(text: string): string {
  return text;
}

export const plain: Palette = { weight: same, special: same, cut: same, bold: same, dim: same };

/** A weight on its own color, for the legend. */
export function swatch(weight: number): string {
  return paint.weight(` ${Number(weight.toPrecision(4))} `, weight, false);
}
