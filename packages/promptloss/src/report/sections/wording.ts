// Names of groups and series as the page writes them.
import { lookOf } from "../charts/palette.ts";
import type { Series } from "../content/study-content.ts";
import { html, type Markup } from "../html/markup.ts";

const titles = {
  "multiple-choice": "Multiple choice",
  "short-generation": "Short generation",
  "long-generation": "Long generation",
} as const;

/** Of a model over everything: undefined. Of benchmarks that belong to no group: null. */
export function groupTitle(group: keyof typeof titles | null | undefined): string {
  return group === undefined ? "All tasks" : group === null ? "Other tasks" : titles[group];
}

/** Which color and mark means which generation ratio; nothing where there is one. */
export function legend(series: readonly Series[]): Markup | undefined {
  return series.length < 2
    ? undefined
    : html`<ul class="legend">${series.map(
        ({ slot, label }) =>
          html`<li><span style="color:${lookOf(slot).color}" aria-hidden="true">${lookOf(slot).glyph}</span> ${label}</li>`,
      )}</ul>`;
}

/** "one cell", "12 cells" */
export function counted(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? `one ${one}` : `${count} ${many}`;
}

/** With a capital, and with p-values that no line's end takes apart. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`.replaceAll(
    /\bp ([<=]) ([\d.]+)(?:e-(\d+))?/g,
    (_, sign: string, number: string, exponent?: string) =>
      `p\u00a0${sign}\u00a0${number}${exponent === undefined ? "" : `e-\u2060${exponent}`}`,
  );
}

/** "plw 0.1, seed 2" */
export function cellName(levels: Readonly<Record<string, string | number>>): string {
  return Object.entries(levels)
    .map(([name, label]) => `${name} ${label}`)
    .join(", ");
}
