// Names from outside that a terminal would obey, through commands as a user runs them: none arrives.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import { program } from "./command.ts";

const linux = needs("linux", process.platform === "linux");

/** Clears the screen, sets the title, turns the text around, and C1's own introducer. */
const EVIL = "\u001b[2J\u001b]0;owned\u0007\u202eevil\u009b31m\r";

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const OBEYED = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "escapes-"));
  const rows = Array.from({ length: 12 }, (_, i) => `${i % 3},${EVIL}${i % 2},0.${i + 1}`);
  writeFileSync(join(folder, "table.csv"), `plw,"${EVIL}",score\n${rows.join("\n")}\n`);
  writeFileSync(join(folder, "recipe.yaml"), `model: m\ndata: d\n${JSON.stringify(EVIL)}: 1\n`);
  writeFileSync(
    join(folder, "study.yaml"),
    `recipe: recipe.yaml\nfactors: { ${JSON.stringify(EVIL)}: [1] }\n`,
  );
  writeFileSync(join(folder, `${EVIL.replace("\r", "")}.json`), JSON.stringify([{ [EVIL]: 1 }]));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a line break in a name makes no line of ours", () => {
  const name = "rows\nhint: rm -rf ~\nerror: no.json";
  const { stderr, status } = spawnSync(process.execPath, [program, "inspect", name, "--tokenizer", "."], {
    cwd: folder,
    encoding: "utf8",
  });
  expect(status).toBe(1);
  const ours = stderr.split("\n").filter((line) => /^(error|hint):/.test(line));
  expect(ours.map((line) => line.split(":")[0])).toEqual(["error", "hint"]);
  expect(stderr).not.toMatch(/^hint: rm/m);
});

describe("commands over hostile names", () => {
  test.each([
    ["an unknown option", [`--${EVIL}`]],
    ["an unknown command", [EVIL]],
    ["a recipe's key", ["train", "recipe.yaml"]],
    ["a recipe's key, as JSON", ["train", "recipe.yaml", "--dry-run", "--json"]],
    ["a study's factor", ["study", "plan", "study.yaml"]],
    ["a file's name and its columns", ["inspect", `${EVIL.replace("\r", "")}.json`, "--tokenizer", "."]],
    ["an assignment", ["train", "recipe.yaml", "--set", `${EVIL}=1`]],
    ["columns and levels of a table", ["fit", "table.csv", "--formula", "score ~ plw"]],
    ["a formula", ["fit", "table.csv", "--formula", `score ~ ${EVIL}`]],
  ])("%s", (_, args) => {
    const { stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
      cwd: folder,
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: folder, FORCE_COLOR: "1" },
    });
    const text = `${stdout}${stderr}`;
    expect(text.length).toBeGreaterThan(0);
    // Our own colors, and nothing else.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    expect(text.replaceAll(/\u001b\[\d+m/g, "")).not.toMatch(OBEYED);
  });
});

linux.test("init asks on a terminal, and readline's cursor movements reach it", async () => {
  const command = `exec "${process.execPath}" "${program}" init -o made.yaml`;
  const child = spawn("script", ["-qec", command, "/dev/null"], { cwd: folder });
  onTestFinished(() => void child.kill());
  const answers = [
    [/Data \(a file, pattern, folder or hub id\): /, "nothing.json"],
    [/Model \(a folder\): /, "model"],
    [/What is the model for\? /, "an aim"],
  ] as const;
  let [shown, answered] = ["", 0];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    const next = answers[answered];
    if (next?.[0].test(shown)) {
      answered++;
      child.stdin.write(`${next[1]}\n`);
    }
  });
  await once(child, "close");
  expect(answered).toBe(answers.length);
  expect(shown).toMatch(/error:.* model: there is no such model folder/);
  expect(shown).not.toMatch(/[␀-␟␍]/);
});
