// Programs that pages and doc comments show, run as their reader would run them.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { compiled } from "./compiled.ts";
import { sourcesUnder } from "./imports.ts";
import { blocksOf } from "./pages.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** The TypeScript blocks of a page, by its path from the repository's root. */
export function programsOf(page: string): string[] {
  return blocksOf(page).flatMap(({ language, code }) => (language === "ts" ? [code] : []));
}

/** The `@example` of each function or class of a folder's sources that has one, by its name. */
export function examplesOf(folder: string): ReadonlyMap<string, string> {
  const examples = new Map<string, string>();
  for (const file of sourcesUnder(root, folder)) {
    const text = readFileSync(join(root, file), "utf8");
    const found = text.matchAll(
      /^ \* @example\n \* ```ts\n(?<code>(?: \*.*\n)+?) \* ```\n(?: \*.*\n)*? \*\/\nexport (?:async )?(?:function|class) (?<name>\w+)/gm,
    );
    for (const { groups } of found) examples.set(groups!.name!, groups!.code!.replaceAll(/^ \* ?/gm, ""));
  }
  return examples;
}

export interface RunOptions {
  readonly args?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a module inside a package, so that the package's own name resolves. */
export function runProgram(
  folder: "packages/promptloss" | "packages/torch",
  program: string,
  { args = [], cwd, env }: RunOptions = {},
): { status: number | null; stdout: string; stderr: string } {
  const place = mkdtempSync(compiled(folder, "example-"));
  try {
    const file = join(place, "program.mjs");
    writeFileSync(file, program);
    const { status, stdout, stderr } = spawnSync(process.execPath, [file, ...args], {
      encoding: "utf8",
      cwd,
      env: { ...process.env, ...env },
    });
    return { status, stdout, stderr };
  } finally {
    rmSync(place, { recursive: true });
  }
}
