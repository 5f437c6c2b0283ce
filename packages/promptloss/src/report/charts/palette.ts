// Colors by the page's CSS variables, which differ in light, dark and print; and marks that tell series apart without
// color.

export const colors = {
  ink: "var(--ink)",
  muted: "var(--muted)",
  line: "var(--line)",
  grid: "var(--grid)",
  page: "var(--page)",
} as const;

const HUES = 6;
const symbols = ["circle", "rect", "triangle", "diamond"] as const;
/** The same for readers of text. */
const glyphs = ["●", "■", "▲", "◆"] as const;

export interface Look {
  readonly color: string;
  readonly symbol: string;
  readonly glyph: string;
}

/** Of the series at a place in their order; the same all over the page. */
export function lookOf(slot: number): Look {
  return {
    color: `var(--s${slot % HUES})`,
    symbol: symbols[slot % symbols.length]!,
    glyph: glyphs[slot % glyphs.length]!,
  };
}

export const HEAT_STEPS = 9;

/** Of a share from 0 to 1; and the ink that can be read on it. */
export function heatOf(share: number): { fill: string; ink: string } {
  const step = Math.min(HEAT_STEPS - 1, Math.max(0, Math.floor(share * HEAT_STEPS)));
  return { fill: `var(--h${step})`, ink: step < HEAT_STEPS / 2 ? "var(--on-low)" : "var(--on-high)" };
}
