// What the programs share that put results into docs/REPLICATION.md: means, tables, sections between markers, and a picture
// of panels with one line a series over w_p.
import { readFileSync, writeFileSync } from "node:fs";

const docs = new URL("../../docs/", import.meta.url);

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The values of `rows` at `key`, each once, in rising order where they are numbers. */
export function levels(rows, key) {
  const all = [...new Set(rows.map(key))];
  return all.every((value) => typeof value === "number") ? all.sort((a, b) => a - b) : all;
}

export function table(header, lines) {
  return [header, header.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Numbers as text, that of `best` (a function of all of them, as Math.min) in bold. */
export function marked(values, digits, best) {
  const top = best(...values);
  return values.map((value) => (value === top ? `**${value.toFixed(digits)}**` : value.toFixed(digits)));
}

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->` in docs/REPLICATION.md, by name. */
export function putSections(sections) {
  const page = new URL("REPLICATION.md", docs);
  let text = readFileSync(page, "utf8");
  for (const [name, section] of Object.entries(sections)) {
    const between = new RegExp(`<!-- ${name} -->[\\s\\S]*<!-- /${name} -->`);
    if (!between.test(text)) throw new Error(`docs/REPLICATION.md has no section ${name}`);
    text = text.replace(between, () => `<!-- ${name} -->\n${section}\n<!-- /${name} -->`);
  }
  writeFileSync(page, text);
}

const COLORS = ["#7a1fa2", "#3949ab", "#0277bd", "#2e7d32", "#ef6c00", "#c62828"];

/**
 * Panels side by side, a line a series over w_p, into docs/`file`. A dashed line marks 0.
 * @param title for screen readers
 * @param panels `{ title, series: [{ name, points: [[wp, value], …] }] }`
 * @param scale `shared`: one scale of values for all panels; `own`: each has its own
 * @param perRow panels side by side before the next row begins
 */
export function putPanels(file, title, panels, scale, perRow = panels.length) {
  const [width, height, left, top, gap, below] = [300, 240, 60, 44, 190, 74];
  const valuesOf = ({ series }) => series.flatMap(({ points }) => points.map(([, value]) => value));
  const all = panels.flatMap(valuesOf);
  const drawn = panels.map((panel, p) => {
    const values = scale === "shared" ? all : valuesOf(panel);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const x = (wp) => (wp * width).toFixed(1);
    const y = (value) => (6 + ((high - value) / (high - low)) * (height - 12)).toFixed(1);
    const lines = panel.series.map(({ name, points }, k) => {
      const dots = points.map(
        ([wp, v]) => `<circle cx="${x(wp)}" cy="${y(v)}" r="2.6" fill="${COLORS[k]}"/>`,
      );
      const path = points.map(([wp, value]) => `${x(wp)},${y(value)}`).join(" ");
      return (
        `<polyline points="${path}" fill="none" stroke="${COLORS[k]}" stroke-width="1.6"/>${dots.join("")}` +
        (panel.series.length === 1
          ? ""
          : `<rect x="${width + 12}" y="${14 + 20 * k}" width="14" height="3" fill="${COLORS[k]}"/>` +
            `<text x="${width + 32}" y="${20 + 20 * k}">${name}</text>`)
      );
    });
    const zero =
      low <= 0 && high >= 0
        ? `<line x1="0" x2="${width}" y1="${y(0)}" y2="${y(0)}" stroke="#bbb" stroke-dasharray="3 3"/>`
        : "";
    // 0 first, where it is there, and the ends that do not lie on it.
    const ticks =
      zero === "" ? [high, low] : [0, ...[high, low].filter((end) => Math.abs(y(end) - y(0)) > 12)];
    const labels = ticks.map(
      (value) =>
        `<text x="-6" y="${y(value)}" text-anchor="end" font-size="10"${value === low ? "" : ' dy="3"'}>${value === 0 ? "0" : value.toFixed(2)}</text>`,
    );
    return (
      `<g transform="translate(${left + (p % perRow) * (width + gap)} ${top + Math.floor(p / perRow) * (height + below)})">` +
      `<rect width="${width}" height="${height}" fill="none" stroke="#ccc"/>${zero}` +
      `<text x="0" y="-10" font-weight="bold">${panel.title}</text>${labels.join("")}` +
      `<text x="0" y="${height + 16}" font-size="10">w_p = 0</text>` +
      `<text x="${width}" y="${height + 16}" text-anchor="end" font-size="10">w_p = 1</text>${lines.join("")}</g>`
    );
  });
  const rows = Math.ceil(panels.length / perRow);
  const size = [left + perRow * (width + gap) - 60, top + rows * (height + below) - 40];
  const picture =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.join(" ")}" width="${size[0]}" height="${size[1]}" ` +
    `font-family="sans-serif" font-size="12" fill="#444" role="img"><title>${title}</title>` +
    `<rect width="${size[0]}" height="${size[1]}" fill="#fff"/>${drawn.join("")}</svg>\n`;
  writeFileSync(new URL(file, docs), picture);
}
