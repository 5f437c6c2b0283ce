// Which rows `promptloss preview` shows, and what it says of bad ones, over a mixture of files.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./command.ts";
import { TINY_BYTES } from "./tokenizers.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "preview-"));
  const rows = (name: string) =>
    Array.from({ length: 12 }, (_, i) => ({ prompt: `${name} ${i + 1}?`, completion: `${i + 1}` }));
  writeFileSync(join(folder, "a.json"), JSON.stringify(rows("a")));
  writeFileSync(join(folder, "b.json"), JSON.stringify(rows("b")));
  const bad = [...rows("c").slice(0, 2), { prompt: "c 3?", completion: 3 }, ...rows("c").slice(3)];
  writeFileSync(join(folder, "bad.json"), JSON.stringify(bad));
  writeFileSync(
    join(folder, "mixed.yaml"),
    `tokenizer: ${TINY_BYTES}\ntemplate: plain\nloss: { promptLossWeight: 0 }\ndata:\n  - { path: a.json, limit: 1 }\n  - { path: b.json, weight: 2, limit: 6, sample: random }\n`,
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

function preview(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, "preview", ...args], {
    cwd: folder,
    encoding: "utf8",
  });
}

function shown(...args: string[]): string[] {
  return JSON.parse(preview(...args, "--json").stdout).rows.map(
    ({ source }: { source: { file: string; row: number } }) =>
      `${source.file.replace(/.*\//, "")} ${source.row}`,
  );
}

describe("preview's choices", () => {
  const bad = ["bad.json", "--tokenizer", TINY_BYTES, "--template", "plain"];

  test("the first rows are those that training would read, within the sources' limits", () => {
    const first = shown("mixed.yaml");
    expect(first).toHaveLength(3);
    expect(first.filter((row) => row.startsWith("a.json"))).toEqual(["a.json 1"]);
  });

  test("as many at random as asked for over all sources, the same for a seed", () => {
    const drawn = shown("mixed.yaml", "--random", "4");
    expect(drawn).toHaveLength(4);
    expect(shown("mixed.yaml", "--random", "4")).toEqual(drawn);
    expect(shown("mixed.yaml", "--random", "4", "--seed", "9")).not.toEqual(drawn);
  });

  test("a row by its number comes once, whatever its source's weight", () => {
    const all = shown("mixed.yaml", "--random", "100");
    const [b] = all.filter((row) => row.startsWith("b.json"));
    const number = b!.split(" ")[1]!;
    expect(shown("mixed.yaml", "--rows", number).filter((row) => row === b)).toEqual([b]);
  });

  test("a bad row is an error, or left out, counted and listed", () => {
    expect(preview(...bad, "--plw", "0").stderr).toMatch(/bad\.json, row 3, field "completion": text was/);
    for (const weight of [
      ["--plw", "0", "--random", "3"],
      ["--random", "3"],
    ]) {
      const { stdout, stderr } = preview(...bad, ...weight, "--on-bad-row", "skip", "--verbose");
      expect(stdout).toMatch(/^! 1 bad row was left out: 1 wrong-type$/m);
      expect(stderr.match(/left out: bad\.json, row 3/g)).toHaveLength(1);
    }
    const { stderr } = preview(...bad, "--plw", "0", "--rows", "2-4", "--on-bad-row", "skip");
    expect(stderr).toMatch(/a row to show was left out: bad\.json, row 3, field "completion"/);
  });

  test("rows that the template refuses or that are too long are left out too", () => {
    const skip = ["--on-bad-row", "skip", "--plw", "0"];
    writeFileSync(
      join(folder, "system.jsonl"),
      '{"system":"Be kind.","prompt":"Hi","completion":"Ho"}\n{"prompt":"Hi","completion":"Ho"}\n',
    );
    const refused = preview("system.jsonl", "--tokenizer", TINY_BYTES, ...skip);
    expect(refused.stdout).toMatch(/^! 1 bad row was left out: 1 template \(--verbose lists them\)$/m);
    const long = preview(...bad, ...skip, "--max-length", "3", "--verbose");
    expect(long.stdout).toMatch(/bad rows? w.* left out: .*overflow/);
    expect(long.stderr).toMatch(/left out: bad\.json, row 1: .* more than the longest row may have/);
  });

  test("weights of classes and trained turns are options too", () => {
    writeFileSync(
      join(folder, "turns.json"),
      JSON.stringify([
        {
          messages: ["One", "Two", "Three", "Four"].map((content, i) => ({
            role: i % 2 === 0 ? "user" : "assistant",
            content,
          })),
        },
      ]),
    );
    const options = ["--tokenizer", TINY_BYTES, "--template", "chatml", "--plw", "0.5"];
    const { rows } = JSON.parse(
      preview("turns.json", ...options, "--turns", "2", "--class-weight", "input=0.25", "--json").stdout,
    );
    const weight = (name: string) =>
      rows[0].tokens
        .filter((token: { class: string }) => token.class === name)
        .map((t: { weight: number }) => t.weight);
    expect(new Set(weight("input"))).toEqual(new Set([0.25]));
    expect(new Set(weight("instruction"))).toEqual(new Set([0.5]));
    const text = rows[0].tokens.filter((t: { class: string }) => t.class === "completion");
    expect(text.map((t: { text: string }) => t.text).join("")).toBe("Four");
    expect(preview("turns.json", ...options, "--turns", "0").status).toBe(2);
  });
});
