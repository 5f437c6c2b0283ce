// Pictures of docs/statistics.md: the shapes that a verdict may name, and false claims.

import { writeFileSync } from "node:fs";
import { share, type Tally } from "./tally.ts";

const docs = new URL("../../../docs/", import.meta.url);
const INK = "#444";
const LINE = "#0b62a3";

function svg(width: number, height: number, title: string, body: string): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
    `font-family="sans-serif" font-size="12" fill="${INK}" role="img"><title>${title}</title>` +
    `<rect width="${width}" height="${height}" fill="#fff"/>${body}</svg>\n`
  );
}

const SHAPES: readonly (readonly [string, (x: number) => number])[] = [
  ["peak", (x) => 1 - ((x - 0.55) / 0.55) ** 2],
  ["rises, then flat", (x) => 1 - Math.exp(-x / 0.18)],
  ["rises", (x) => x],
  ["flat", () => 0.5],
  ["valley", (x) => 0.1 + 2.6 * (x - 0.5) ** 2],
];

/** Five small panels: score against w_p, with the verdict's word. */
export function shapesPicture(): string {
  const [width, height] = [140, 90];
  const panels = SHAPES.map(([name, course], k) => {
    const points = Array.from({ length: 41 }, (_, i) => i / 40)
      .map((x) => `${(x * width).toFixed(1)},${(height * (1 - 0.9 * course(x))).toFixed(1)}`)
      .join(" ");
    return (
      `<g transform="translate(${10 + k * (width + 20)} 12)"><rect width="${width}" height="${height}" fill="none" stroke="#ccc"/>` +
      `<polyline points="${points}" fill="none" stroke="${LINE}" stroke-width="2"/>` +
      `<text x="${width / 2}" y="${height + 18}" text-anchor="middle">${name}</text></g>`
    );
  });
  return svg(810, 128, "Shapes of the relation between score and w_p", panels.join(""));
}

/** A dot with its interval for each truth and design without a relation, against 5 % and 7 %. */
export function falseClaimsPicture(tallies: readonly Tally[]): string {
  const nulls = tallies.filter(({ course, judged }) => course === "none" && judged > 0);
  const [left, row, scale] = [330, 18, 3000];
  const bottom = 20 + nulls.length * row;
  const x = (value: number): number => left + value * scale;
  const mark = (value: number, dashes: string): string =>
    `<line x1="${x(value)}" x2="${x(value)}" y1="10" y2="${bottom}" stroke="#999" stroke-dasharray="${dashes}"/>` +
    `<text x="${x(value)}" y="${bottom + 16}" text-anchor="middle">${100 * value} %</text>`;
  const dots = nulls.map((tally, k) => {
    const found = share(tally.falseClaims, tally.studies)!;
    const y = 22 + k * row;
    return (
      `<text x="${left - 14}" y="${y + 4}" text-anchor="end">${tally.truth}, ${tally.design}</text>` +
      `<line x1="${x(found.lower)}" x2="${x(found.upper)}" y1="${y}" y2="${y}" stroke="${LINE}"/>` +
      `<circle cx="${x(found.share)}" cy="${y}" r="3.5" fill="${LINE}"/>`
    );
  });
  const body = mark(0, "") + mark(0.05, "") + mark(0.07, "4 3") + dots.join("");
  return svg(left + 0.13 * scale, bottom + 26, "Studies of nothing that claim something", body);
}

export function writePictures(tallies: readonly Tally[]): void {
  writeFileSync(new URL("statistics-shapes.svg", docs), shapesPicture());
  writeFileSync(new URL("statistics-false-claims.svg", docs), falseClaimsPicture(tallies));
}
