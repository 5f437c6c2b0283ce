// The package's doors: the root and its subpaths, as a program that installed the package meets them.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { runProgram } from "../../../test/programs.ts";

const folder = fileURLToPath(new URL("../", import.meta.url));
const doors = Object.keys(
  (JSON.parse(readFileSync(`${folder}package.json`, "utf8")) as { exports: Record<string, unknown> }).exports,
)
  .filter((door) => door !== "./package.json")
  .map((door) => door.replace(".", "promptloss"));

/** Imports doors in a process of their own: the names at each, and the native libraries that came with it. */
function opened(names: readonly string[]): { names: string[][]; native: string[] } {
  const program = `
    const names = [];
    for (const door of ${JSON.stringify(names)}) names.push(Object.keys(await import(door)));
    const native = process.report.getReport().sharedObjects.filter((path) => /torch|\\.node$/.test(path));
    console.log(JSON.stringify({ names, native }));`;
  const { stdout, stderr } = runProgram("packages/promptloss", program);
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

describe("the package's doors", () => {
  test("importing all of them loads nothing native", () => {
    const { names, native } = opened(doors);
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((each) => each.length === 0)).toEqual([]);
    expect(native).toEqual([]);
  });

  test("the root is short, and every name of it is at a subpath too", async () => {
    const modules = await Promise.all(doors.map((door) => import(/* @vite-ignore */ door)));
    const [root, ...rest] = modules as Record<string, unknown>[];
    expect(Object.keys(root!).length).toBeLessThanOrEqual(30);
    const others = new Set(rest.flatMap((each) => Object.values(each)));
    const alone = Object.entries(root!).filter(([, value]) => !others.has(value));
    expect(alone.map(([name]) => name)).toEqual(["PromptlossError"]);
  });
});

test("docs/ARCHITECTURE.md lists the doors", () => {
  const page = readFileSync(`${folder}../../docs/ARCHITECTURE.md`, "utf8")
    .split("\n## Doors\n")[1]!
    .split("\n## ")[0]!;
  const listed = [...page.matchAll(/`(promptloss\/[a-z-]+)`/g)].map((match) => match[1]);
  expect(listed).toEqual(doors.slice(1));
});

test("a subpath is the folder's name", () => {
  const lost = doors.slice(1).filter((door) => !existsSync(`${folder}src/${door.split("/")[1]}/index.ts`));
  expect(lost).toEqual([]);
});
