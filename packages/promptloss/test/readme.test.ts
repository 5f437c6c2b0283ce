// The commands of the pages' `console` blocks: they run as they stand, in the folder of the README's quick start, and print
// what stands under them, numbers aside.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compiled } from "../../../test/compiled.ts";
import { blocksOf } from "../../../test/pages.ts";
import { program } from "./command.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Those whose blocks need only what the quick start leaves behind; in the order in which they run. */
const PAGES = [
  "README.md",
  "docs/data.md",
  "docs/training.md",
  "docs/evaluation.md",
  "docs/choosing.md",
  "docs/studies.md",
];

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "readme-"));
  symlinkSync(join(root, "demo"), join(folder, "demo"));
  mkdirSync(join(folder, "runs"));
  const made = spawnSync(process.execPath, [compiled("demo", "main.js"), "--model"], { encoding: "utf8" });
  expect([made.status, made.stdout, made.stderr]).toEqual([0, "runs/demo/model\n", ""]);
  symlinkSync(join(root, "runs/demo"), join(folder, "runs/demo"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Shown {
  readonly command: string;
  /** Lines that stand together; what lies between them is left out. */
  readonly stretches: readonly (readonly string[])[];
}

/** What stands under each command of a `console` block; "…" stands for lines that are left out. */
function shownOf(block: string): Shown[] {
  return block.split(/^\$ /m).flatMap((text) => {
    const [command = "", ...lines] = text.trimEnd().split("\n");
    if (command === "") return [];
    const stretches: string[][] = [[]];
    for (const line of lines)
      if (line === "…") stretches.push([]);
      else stretches.at(-1)!.push(line);
    return [{ command, stretches: stretches.filter((each) => each.length > 0) }];
  });
}

/** Without what differs from run to run and from machine to machine. */
function shapeOf(line: string): string {
  return line
    .replaceAll(/\d+ min \d+ s|\d+ s\b/g, "TIME")
    .replaceAll(/threads?\b/g, "threads")
    .replaceAll(/bfloat16|float32/g, "DTYPE")
    .replaceAll(/[+−]?\d[\d.,]*(e[+-]\d+)?/g, "N")
    .replaceAll(/ +/g, " ");
}

function placeOf(stretch: readonly string[], lines: readonly string[], from: number): number {
  for (let at = from; at + stretch.length <= lines.length; at++)
    if (stretch.every((line, i) => lines[at + i] === line)) return at;
  return -1;
}

function check({ command, stretches }: Shown): void {
  const [, words] = /^npx promptloss (.+)$/.exec(command) ?? [];
  expect(words, command).toBeDefined();
  const args = [...words!.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  expect([status, stderr], command).toEqual([0, ""]);
  const lines = stdout.split("\n").map(shapeOf);
  let from = 0;
  for (const stretch of stretches) {
    const wanted = stretch.map(shapeOf);
    const at = placeOf(wanted, lines, from);
    expect(at, `${command}\nprints no\n${wanted.join("\n")}\nin\n${lines.join("\n")}`).toBeGreaterThanOrEqual(
      0,
    );
    from = at + wanted.length;
  }
}

test.each(PAGES)("the commands of %s print what stands under them", { timeout: 900_000 }, (page) => {
  let count = 0;
  for (const { language, file, code } of blocksOf(page))
    if (file !== undefined) writeFileSync(join(folder, file), code);
    else if (language === "console")
      for (const each of shownOf(code)) {
        check(each);
        count++;
      }
  expect(count).toBeGreaterThan(0);
});
