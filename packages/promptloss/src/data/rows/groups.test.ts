import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { file, jsonl, read, rowFailure, temporaryFolder } from "../../../test/row-files.ts";
import { TINY_BYTES } from "../../../test/tokenizers.ts";
import { loadRows } from "../load-rows.ts";
import { RowSubset } from "../row-subset.ts";
import { createTemplate } from "../templates/index.ts";
import { loadTokenizer } from "../tokenizer/index.ts";
import { WeightedRows } from "../tokens/index.ts";

function row(more: object) {
  return { instruction: "Q", output: "A", ...more };
}

async function groupsOf(...rows: readonly object[]): Promise<(string | undefined)[]> {
  return (await read("rows.jsonl", jsonl(...rows.map(row)))).map(({ source }) => source.group);
}

describe("a row's group", () => {
  test("is a text, or a number as its text", async () => {
    expect(
      await groupsOf({ group: "a" }, { group: 3 }, { group: "3" }, { group: 0 }, { group: 0.5 }),
    ).toEqual(["a", "3", "3", "0", "0.5"]);
  });

  test("is none where it is missing, null or blank", async () => {
    const examples = await read("rows.jsonl", jsonl(...[{}, { group: null }, { group: " " }].map(row)));
    for (const { source } of examples) expect(source).not.toHaveProperty("group");
  });

  test("stands in any column that is mapped to it, in any format", async () => {
    const columns = { group: "story" };
    const said = [
      { prompt: "Q", completion: "A", story: "x" },
      { prompt: "R", completion: "B", story: "x" },
    ];
    const examples = await read("rows.jsonl", jsonl(...said), { columns });
    expect(examples.map(({ source }) => source.group)).toEqual(["x", "x"]);
    const tokens = [{ input_ids: [1, 2], completion_mask: [0, 1], group: 7 }];
    expect((await read("rows.jsonl", jsonl(...tokens)))[0]!.source.group).toBe("7");
  });

  test.each([[true], [{}], [["a"]], [2 ** 53]])("can't be %j", async (group) => {
    const error = await rowFailure([row({ group })]);
    expect([error.reason, error.field, error.row]).toEqual(["wrong-type", "group", 1]);
  });

  test("reaches the rows that training reads, fresh and from the token cache", async () => {
    const tokenizer = await loadTokenizer(TINY_BYTES);
    const path = file("rows.jsonl", jsonl(...[{ group: "b" }, {}, { group: 1 }, { group: "b" }].map(row)));
    const options = {
      tokenizer,
      template: createTemplate("alpaca", tokenizer),
      cache: join(temporaryFolder(), "tokens"),
    };
    for (let pass = 0; pass < 2; pass++) {
      using cache = await loadRows([{ path }], options);
      const rows = new WeightedRows(cache, { weights: { promptLossWeight: 1 } });
      const groups = Array.from({ length: rows.length }, (_, index) => rows.at(index).source.group);
      expect(groups).toEqual(["b", undefined, "1", "b"]);
      expect(new RowSubset(rows, Int32Array.of(2, 3)).at(1).source.group).toBe("b");
    }
  });
});
