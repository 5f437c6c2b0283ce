// The page's colors as canvases need them: values of the CSS variables, anew when light turns to dark.
import { signal } from "@preact/signals";

const HUES = 6;

export interface Colors {
  readonly ink: string;
  readonly muted: string;
  readonly grid: string;
  readonly line: string;
  readonly page: string;
  readonly panel: string;
  /** One for each series, in turn. */
  readonly series: readonly string[];
  /** From low to high. */
  readonly scale: readonly string[];
}

function read(): Colors {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ ink: color("ink"), muted: color("muted"), grid: color("grid"), line: color("line") },
    ...{ page: color("page"), panel: color("panel") },
    series: Array.from({ length: HUES }, (_, i) => color(`s${i}`)),
    // The report's heat without its lightest steps, which no line could have.
    scale: ["h4", "h5", "h6", "h7", "h8"].map(color),
  };
}

export const colors = signal(read());

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  colors.value = read();
});

export function seriesColor(slot: number): string {
  const { series } = colors.value;
  return series[slot % series.length]!;
}

/** A color between the scale's ends. @param share from 0 to 1 */
export function scaleColor(share: number): string {
  const { scale } = colors.value;
  const place = share * (scale.length - 1);
  const [low, high] = [scale[Math.floor(place)]!, scale[Math.ceil(place)]!].map(channels);
  const mixed = low!.map((part, i) => Math.round(part + (high![i]! - part) * (place % 1)));
  return `rgb(${mixed.join(", ")})`;
}

/** "#a0b1c2" → [160, 177, 194]. */
function channels(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}
