// Gold labels: what is a choice, and what is refused.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jsonl, temporaryFolder } from "../../../test/row-files.ts";
import { taskSchema } from "../tasks/index.ts";
import { buildItems } from "./build-items.ts";
import { itemOf } from "./item.ts";

function task(change: object = {}) {
  return taskSchema.parse({
    ...{ task: "t", kind: "multiple-choice", data: { test: "rows.jsonl" } },
    ...{ context: "{{q}}", choices: "choices", gold: "{{label}}", metrics: ["acc"], ...change },
  });
}

function row(label: unknown) {
  return { q: "The sun was", choices: ["warm", "cold", "blue"], label };
}

describe("gold", () => {
  test.each(["", " ", "\t", "0x1", "1e0", "1.0", "+1", "-1", "3", " 1", "1 ", "٣", "one", "NaN", "1_0"])(
    "%j is no choice",
    (label) => {
      expect(() => itemOf(task(), row(label))).toThrow(
        `gold {{label}}: expected a whole number from 0 to 2, got ${JSON.stringify(label)}`,
      );
    },
  );

  test("null and what is missing are named as such", () => {
    expect(() => itemOf(task(), row(null))).toThrow("the field label is null");
    expect(() => itemOf(task(), row(undefined))).toThrow("there is no field label");
  });

  test("a whole number in range is, as a number and as a text", () => {
    fc.assert(
      fc.property(fc.nat(2), fc.boolean(), (place, text) => {
        const item = itemOf(task(), row(text ? String(place) : place));
        expect(item).toMatchObject({ right: [0, 1, 2].map((i) => i === place) });
      }),
    );
  });

  test("any text but such a number is refused", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !/^\d+$/.test(text)),
        (label) => {
          expect(() => itemOf(task(), row(label))).toThrow(/^gold /);
        },
      ),
    );
  });

  test("names", () => {
    const named = task({ goldIn: ["A", "B", "C", "D"] });
    expect(itemOf(named, row("B"))).toMatchObject({ right: [false, true, false] });
    for (const label of ["", "D", "1", "b"])
      expect(() => itemOf(named, row(label))).toThrow(/^gold .*expected one of A, B, C, D, got/);
  });

  test("labels are 0 and 1, and nothing else", () => {
    const labeled = task({ gold: undefined, labels: "label" });
    expect(itemOf(labeled, row([0, 1, 1]))).toMatchObject({ right: [false, true, true] });
    for (const labels of [[1, null, 0], [1, "", 0], ["1", "0", "0"], [2, 1, 0], [1, 0], [0, 0, 0], null])
      expect(() => itemOf(labeled, row(labels))).toThrow(/^label |^there is no field label/);
  });

  test("blank choices are refused", () => {
    expect(() => itemOf(task(), { ...row(0), choices: ["warm", " "] })).toThrow("choices: choice 1 is blank");
  });

  test("the error names file, row and field", async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "rows.jsonl"), jsonl(row("1"), row("")));
    await expect(buildItems(task(), { data: { folder } })).rejects.toThrow(
      `${join(folder, "rows.jsonl")}, row 2: gold {{label}}: expected a whole number from 0 to 2, got ""`,
    );
  });
});
