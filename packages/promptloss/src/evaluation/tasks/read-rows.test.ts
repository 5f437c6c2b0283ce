// Tasks' rows: from a folder in any container, from the hub, and what is said where they are not there.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startHubServer } from "../../../test/hub-server.ts";
import { csv, jsonl, temporaryFolder } from "../../../test/row-files.ts";
import { buildItems } from "../requests/build-items.ts";
import { loadTask } from "./load-task.ts";
import { readTaskRows } from "./read-rows.ts";
import { type EvaluationTask, taskSchema } from "./schema.ts";

/** Made by test/python/hub_rows.py. */
const parquet = readFileSync(new URL("../../../test/goldens/rows/hub.parquet", import.meta.url));

function task(data: object): EvaluationTask {
  return taskSchema.parse({
    ...{ task: "animals", kind: "multiple-choice", data },
    ...{ context: "{{question}}", choices: ["a cat", "rain"], gold: "{{label}}", metrics: ["acc"] },
  });
}

const rows = [
  { question: "Which falls?", label: "1" },
  { question: "Which eats?", label: "0" },
];

describe("rows of a folder", () => {
  test.each([
    ["rows.jsonl", jsonl(...rows)],
    ["rows.json", JSON.stringify(rows)],
    ["rows.csv", csv(rows)],
  ])("%s", async (name, content) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, name), content);
    const read = await readTaskRows(task({ test: "none.jsonl", validation: name }), { folder });
    expect(read).toEqual({ split: "validation", file: join(folder, name), rows });
  });

  test("a row that can't be read is named", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "rows.jsonl"), `${jsonl(...rows)}{"question": \n`);
    await expect(readTaskRows(task({ test: "rows.jsonl" }), { folder })).rejects.toThrow(
      /rows\.jsonl, row 3: /,
    );
  });

  test("a missing file says what to fetch, where to put it, and of the hub", async () => {
    const folder = temporaryFolder();
    const missing = (name: string) => readTaskRows(loadTask(name), { folder }).catch((error) => error);
    expect(await missing("arc_easy")).toMatchObject({
      message: `${join(folder, "arc_easy/test.jsonl")}: arc_easy has its test rows there, and there is no such file`,
      hint: expect.stringMatching(
        /^fetch the dataset allenai\/ai2_arc, .* put it at .*take the rows from the hub$/,
      ),
    });
    expect((await missing("mctest")).hint).not.toMatch(/hub/);
  });
});

describe("rows of the hub", () => {
  const card =
    "---\nconfigs:\n- config_name: ARC-Easy\n  data_files: [{ split: test, path: a.parquet }, { split: train, path: b.jsonl }]\n---\n";
  const shot = {
    question: "What barks?",
    choices: { text: ["dogs", "cats"], label: ["A", "B"] },
    answerKey: "A",
  };
  const datasets = {
    "allenai/ai2_arc": { "README.md": card, "a.parquet": parquet, "b.jsonl": jsonl(shot) },
    "baber/piqa": { "validation.jsonl": jsonl({ goal: "g", sol1: "a", sol2: "b", label: 1 }) },
    "wmt/wmt16": { "test.parquet": parquet },
    "someone/animals": { "test.parquet": parquet },
  };

  const started = async () => {
    const server = await startHubServer({ datasets });
    return { server, hub: { endpoint: server.endpoint, cacheDir: temporaryFolder() } };
  };

  test("become items, with examples of another split", async () => {
    const { server, hub } = await started();
    await using _ = server;
    const built = await buildItems(loadTask("arc_easy"), { data: { hub }, shots: 1 });
    expect(built).toMatchObject({ split: "test", file: "allenai/ai2_arc/a.parquet", shots: 1 });
    const context = "Question: What barks?\nAnswer: dogs\n\nQuestion: Which is an animal?\nAnswer:";
    expect(built.items).toMatchObject([
      {
        pairs: [
          { context, continuation: " a stone" },
          { context, continuation: " a cat" },
        ],
        right: [false, true],
      },
      { right: [true, false, false] },
    ]);
  });

  test("have numbers for 64-bit integers, and their fields in an object where the task says so", async () => {
    const { server, hub } = await started();
    await using _ = server;
    const animals = await readTaskRows(task({ test: "t", hub: { id: "someone/animals" } }), { hub });
    expect(animals.rows.map(({ label }) => label)).toEqual([1, 0]);
    const inner = task({ test: "t", hub: { id: "wmt/wmt16", row: "translation" } });
    expect((await readTaskRows(inner, { hub })).rows[1]).toEqual({ en: "cat", ro: "pisică" });
    const nothing = task({ test: "t", hub: { id: "wmt/wmt16", row: "label" } });
    await expect(readTaskRows(nothing, { hub })).rejects.toThrow(
      "wmt/wmt16/test.parquet, row 1: label is no object",
    );
  });

  test("of a task that has none are an error, and so is a split that is not there", async () => {
    const { server, hub } = await started();
    await using _ = server;
    await expect(readTaskRows(loadTask("mctest"), { hub })).rejects.toMatchObject({
      message: "mctest names no dataset of the hub, and there is no folder of data",
      hint: expect.stringMatching(/^name the folder that has MCTest/),
    });
    await expect(buildItems(loadTask("piqa"), { data: { hub }, shots: 1 })).rejects.toMatchObject({
      reason: "missing-split",
    });
  });
});
