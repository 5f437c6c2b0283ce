// Few-shot examples that are the same for every item: the first of a split, and rows that the task names.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { jsonl, temporaryFolder } from "../../../test/row-files.ts";
import { taskSchema } from "../tasks/index.ts";
import { type BuildItemsOptions, buildItems } from "./build-items.ts";

const rows = ["one", "two", "three", "four"].map((q) => ({ q, end: q.toUpperCase() }));

function task(change: object = {}) {
  return taskSchema.parse({
    ...{ task: "t", kind: "likelihood", data: { validation: "rows.jsonl" } },
    ...{ context: "{{q}}", completion: "{{end}}", metrics: ["acc"], shotDelimiter: "; ", ...change },
  });
}

/** Contexts of all items. */
async function contexts(change: object, options: Partial<BuildItemsOptions>): Promise<string[]> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "rows.jsonl"), jsonl(...rows));
  const { items } = await buildItems(task(change), { data: { folder }, ...options });
  return items.map((item) => (item.kind === "likelihood" ? item.pairs[0].context : ""));
}

describe("examples", () => {
  test("the first of the split, without the item itself", async () => {
    expect(await contexts({}, { examples: "first", shots: 2 })).toEqual([
      "two TWO; three THREE; one",
      "one ONE; three THREE; two",
      "one ONE; two TWO; three",
      "one ONE; two TWO; four",
    ]);
  });

  test("a task says so itself, and the call's word counts more", async () => {
    const first = { examples: "first", shots: 1 };
    const own = await contexts(first, {});
    expect(own[3]).toBe("one ONE; four");
    const drawn = await contexts(first, { examples: "drawn", shotSeed: 3 });
    expect(drawn).toEqual(await contexts({ shots: 1 }, { shotSeed: 3 }));
    expect(drawn).not.toEqual(own);
  });

  test("rows of the task, in their order, without the item itself", async () => {
    const examples = [{ q: "zero", end: "ZERO" }, rows[0]];
    const texts = await contexts({ examples, shots: 1 }, { limit: 2 });
    expect(texts).toEqual(["zero ZERO; one", "zero ZERO; two"]);
    await expect(contexts({ examples }, { shots: 2 })).rejects.toThrow(
      "t: 2 examples of the 2 rows of examples of t",
    );
  });

  test("rows that are no examples are named", async () => {
    await expect(contexts({ examples: [{ q: "zero" }], shots: 1 }, {})).rejects.toThrow(
      "examples of t, row 1: there is no field end",
    );
  });

  test("too few rows are refused, in a task's file and in a call", async () => {
    expect(taskSchema.safeParse({ ...task(), examples: [rows[0]], shots: 2 }).error?.issues).toMatchObject([
      { path: ["examples"], message: "lists 1 of the 2 rows that shots asks for" },
    ]);
    await expect(contexts({}, { examples: "first", shots: 4 })).rejects.toThrow(
      /4 examples of the 4 rows of/,
    );
  });

  test("a task with examples in its context takes none", async () => {
    const fixed = { ...task(), fixedShots: true };
    expect(taskSchema.safeParse({ ...fixed, examples: "first" }).error?.issues).toMatchObject([
      { path: ["examples"] },
    ]);
    await expect(contexts({ fixedShots: true }, { examples: "first" })).rejects.toThrow(
      "t: its examples are part of it",
    );
  });
});
