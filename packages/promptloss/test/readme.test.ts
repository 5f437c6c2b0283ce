// The README's quick start: its commands run as they stand, and print what stands under them, numbers aside.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compiled } from "../../../test/compiled.ts";
import { program } from "./command.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const readme = readFileSync(join(root, "README.md"), "utf8");

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "readme-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Shown {
  readonly command: string;
  /** Lines that stand together; what lies between them is left out. */
  readonly stretches: readonly (readonly string[])[];
}

/** What stands under each command of the page's `console` blocks; "…" stands for lines that are left out. */
function shownOf(page: string): Shown[] {
  return [...page.matchAll(/^```console\n([\s\S]*?)^```/gm)].flatMap(([, block]) =>
    block!.split(/^\$ /m).flatMap((text) => {
      const [command = "", ...lines] = text.trimEnd().split("\n");
      if (command === "") return [];
      const stretches: string[][] = [[]];
      for (const line of lines)
        if (line === "…") stretches.push([]);
        else stretches.at(-1)!.push(line);
      return [{ command, stretches: stretches.filter((each) => each.length > 0) }];
    }),
  );
}

/** Without what differs from run to run and from machine to machine. */
function shapeOf(line: string): string {
  return line
    .replaceAll(/\d+ min \d+ s|\d+ s\b/g, "TIME")
    .replaceAll(/threads?\b/g, "threads")
    .replaceAll(/bfloat16|float32/g, "DTYPE")
    .replaceAll(/\d[\d.,]*(e[+-]\d+)?/g, "N")
    .replaceAll(/ +/g, " ");
}

function placeOf(stretch: readonly string[], lines: readonly string[], from: number): number {
  for (let at = from; at + stretch.length <= lines.length; at++)
    if (stretch.every((line, i) => lines[at + i] === line)) return at;
  return -1;
}

test("the quick start's commands print what stands under them", () => {
  symlinkSync(join(root, "demo"), join(folder, "demo"));
  mkdirSync(join(folder, "runs"));
  const made = spawnSync(process.execPath, [compiled("demo", "main.js"), "--model"], { encoding: "utf8" });
  expect([made.status, made.stdout, made.stderr]).toEqual([0, "runs/demo/model\n", ""]);
  symlinkSync(join(root, "runs/demo"), join(folder, "runs/demo"));
  const commands = shownOf(readme);
  expect(commands.length).toBeGreaterThanOrEqual(5);
  for (const { command, stretches } of commands) {
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
      expect(
        at,
        `${command}\nprints no\n${wanted.join("\n")}\nin\n${lines.join("\n")}`,
      ).toBeGreaterThanOrEqual(0);
      from = at + wanted.length;
    }
  }
});
