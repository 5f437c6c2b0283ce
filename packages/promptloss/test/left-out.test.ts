// What commands say of rows and columns that they leave out: the same lines from each of them. They take what the last
// build left in dist.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { program } from "./command.ts";
import { jsonl } from "./row-files.ts";
import { sharedPath } from "./shared.ts";
import { TINY_PIECES } from "./tokenizers.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
});
afterAll(() => folder.remove());

function promptloss(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...args], {
    cwd: folder.path,
    encoding: "utf8",
    env: { ...process.env, XDG_CACHE_HOME: join(folder.path, "cache") },
  });
}

const recipe = fileURLToPath(new URL("../../../recipes/short-completions.yaml", import.meta.url));
function set(key: string, value: string): string[] {
  return ["--set", `${key}=${value}`];
}

/** What README has of training, without the steps. */
function train(data: string): string[] {
  return [
    ...["train", recipe, "--dry-run", ...set("model", "model"), ...set("data", data)],
    ...[...set("output", "run"), ...set("maxLength", "256")],
  ];
}

interface AlpacaRow {
  readonly instruction: string;
  readonly input: string;
  readonly output: string;
}

const alpaca = sharedPath("data", "instructions", "alpaca_data.json");

/** AlpacaData's 28 rows with an empty completion, with 100 others; a few made here where it is missing. */
function someRows(): { rows: AlpacaRow[]; empty: number } {
  const all: AlpacaRow[] =
    alpaca === undefined
      ? Array.from({ length: 40 }, (_, i) => ({
          instruction: `Count to ${i}.`,
          input: "",
          output: i % 5 === 0 ? "" : `${i}`,
        }))
      : JSON.parse(readFileSync(alpaca, "utf8"));
  const empty = all.filter(({ output }) => output.trim() === "");
  const filled = all.filter(({ output, input }) => output.trim() !== "" && input.length < 40);
  const rows = [...filled.slice(0, 50), ...empty, ...filled.slice(50, 100)];
  return { rows, empty: empty.length };
}

describe("empty completions", () => {
  let line = "";
  beforeAll(() => {
    const { rows, empty } = someRows();
    if (alpaca !== undefined) expect(empty).toBe(28);
    writeFileSync(join(folder.path, "alpaca.json"), JSON.stringify(rows));
    line = `! ${empty} rows with an empty completion were left out`;
  });

  test.each([
    ["inspect", ["inspect", "alpaca.json", "--tokenizer", TINY_PIECES]],
    ["preview", ["preview", "alpaca.json", "--tokenizer", TINY_PIECES]],
    ["preview of rows at the end", ["preview", "alpaca.json", "--tokenizer", TINY_PIECES, "--random", "2"]],
    ["training, as README has it", train("alpaca.json")],
    ["training from the token cache", train("alpaca.json")],
    ["invert", ["invert", "alpaca.json", "--tokenizer", TINY_PIECES, "-o", "out.json", "--all"]],
  ])("are left out and counted by %s", (_, args) => {
    const { status, stdout, stderr } = promptloss(...args);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(line);
  });

  test("are an error where the recipe or the option refuses them, with what else can be done", () => {
    for (const args of [
      [...train("alpaca.json"), ...set("emptyCompletions", "refuse")],
      ["preview", "alpaca.json", "--tokenizer", TINY_PIECES, "--empty-completions", "refuse"],
    ]) {
      const { status, stderr } = promptloss(...args);
      expect(status).toBe(1);
      expect(stderr).toMatch(
        /alpaca\.json, row \d+, field "output": the completion is .*\nhint: .*emptyCompletions: "skip"/,
      );
    }
  });

  test("are trained to stop at once where they are kept", () => {
    const { stdout } = promptloss(
      ...["inspect", "alpaca.json", "--tokenizer", TINY_PIECES, "--empty-completions", "keep"],
    );
    expect(stdout).toMatch(/! \d+ rows with an empty completion: what is trained of them is to stop at once/);
  });
});

describe("columns that nothing reads", () => {
  const said = [
    { role: "user", content: "Hi", name: "Ann" },
    { role: "assistant", content: "Hello." },
  ];
  const line = "! not read: id, messages[].name";
  beforeAll(() => {
    writeFileSync(join(folder.path, "chats.jsonl"), jsonl(...Array(9).fill({ messages: said, id: 7 })));
    folder.recipe("chats", "");
    const text = "model: ./model\ndata: chats.jsonl\ntemplate: plain\noutput: chats\n";
    writeFileSync(join(folder.path, "chats.yaml"), text);
  });

  test.each([
    ["inspect", ["inspect", "chats.yaml"]],
    ["preview", ["preview", "chats.yaml"]],
    ["train", ["train", "chats.yaml", "--dry-run"]],
    ["invert", ["invert", "chats.yaml", "-o", "out.json", "--all"]],
  ])("are named by %s", (_, args) => {
    expect(promptloss(...args).stdout).toContain(line);
  });

  test("are named in the totals of loss", () => {
    const { stdout } = promptloss("loss", "model", "chats.yaml");
    const { totals } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    expect(totals.notes).toContain(line.slice(2));
  });

  test("are refused where leaving them out would change the dialogue", () => {
    const [question, answer] = said;
    const messages = [question, { ...answer, images: ["a.png"] }];
    writeFileSync(join(folder.path, "pictures.jsonl"), jsonl({ messages }));
    const { status, stderr } = promptloss(
      ...["inspect", "pictures.jsonl", "--tokenizer", TINY_PIECES, "--template", "plain"],
    );
    expect(status).toBe(1);
    expect(stderr).toMatch(/messages\[1\]\.images": "images" isn't supported/);
    expect(stderr).toMatch(/\n {2}Take it out of the data/);
  });
});
