// Results as a table in docs/BENCHMARKS.md, with the raw figures as JSON beside it.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";

const docs = new URL("../../../docs/", import.meta.url);

/** The processor, in words. */
export function machine(): string {
  return `${cpus()[0]?.model.trim() ?? "unknown processor"}, ${cpus().length} cores`;
}

export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** Puts `text` between the markers of section `name` of docs/BENCHMARKS.md, and `raw` into docs/benchmarks-<name>.json. */
export function writeSection(name: string, text: string, raw: object): void {
  const file = fileURLToPath(new URL("BENCHMARKS.md", docs));
  const [from, to] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const page = existsSync(file) ? readFileSync(file, "utf8") : "# Benchmarks\n";
  const start = page.indexOf(from);
  const end = page.indexOf(to);
  const section = `${from}\n${text}\n${to}`;
  const next =
    start < 0 || end < 0
      ? `${page}\n${section}\n`
      : page.slice(0, start) + section + page.slice(end + to.length);
  writeFileSync(file, next);
  writeFileSync(fileURLToPath(new URL(`benchmarks-${name}.json`, docs)), `${JSON.stringify(raw, null, 2)}\n`);
}

/** Puts lines between their markers in a page of docs/. A test holds the lines to the figures as JSON. */
export function writeLines(page: string, marker: string, lines: string): void {
  const file = new URL(page, docs);
  const parts = readFileSync(file, "utf8").split(new RegExp(`<!-- /?${marker} -->`));
  if (parts.length !== 3)
    throw new Error(`docs/${page} needs <!-- ${marker} --> and <!-- /${marker} -->, once each`);
  writeFileSync(file, `${parts[0]}<!-- ${marker} -->\n${lines}\n<!-- /${marker} -->${parts[2]}`);
}
