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
}

function read(): Colors {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ...{ ink: color("ink"), muted: color("muted"), grid: color("grid"), line: color("line") },
    ...{ page: color("page"), panel: color("panel") },
    series: Array.from({ length: HUES }, (_, i) => color(`s${i}`)),
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
