// The imports of TypeScript sources, read by the parser that vite brings.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseSync } from "vite";

export interface Import {
  /** The module that imports, and the one that is imported, by paths from the repository's root. */
  readonly from: string;
  readonly to: string;
  readonly line: number;
  /** Where only types are imported, which are gone at run time; `later` for `import(…)`. */
  readonly when: "run time" | "types" | "later";
}

/** Every source of a package that is not a test, by path from the root. */
export function sourcesUnder(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .map((name) => join(folder, name))
    .sort();
}

/** A source's imports of this repository's modules. `resolve` finds the module that a package's name means. */
export function importsOf(
  root: string,
  file: string,
  resolve: (name: string) => string | undefined,
): Import[] {
  const text = readFileSync(join(root, file), "utf8");
  const { module, errors } = parseSync(file, text, { lang: "ts" });
  if (errors.length > 0) throw new Error(`${file}: ${errors[0]?.message}`);
  const found: Import[] = [];
  const add = (name: string, place: number, when: Import["when"]): void => {
    const to = name.startsWith(".") ? join(dirname(file), name) : resolve(name);
    if (to !== undefined) found.push({ from: file, to, line: text.slice(0, place).split("\n").length, when });
  };
  for (const { moduleRequest, entries, start } of module.staticImports) {
    const types = entries.length > 0 && entries.every(({ isType }) => isType);
    add(moduleRequest.value, start, types ? "types" : "run time");
  }
  for (const { entries, start } of module.staticExports) {
    const sources = entries.filter(({ moduleRequest }) => moduleRequest !== null);
    const name = sources[0]?.moduleRequest?.value;
    const types = sources.every(({ isType }) => isType);
    if (name !== undefined) add(name, start, types ? "types" : "run time");
  }
  for (const { moduleRequest, start } of module.dynamicImports) {
    const name = /^["'](.+)["']$/.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[1];
    if (name !== undefined) add(name, start, "later");
  }
  return found;
}
