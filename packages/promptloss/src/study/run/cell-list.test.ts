import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readCellList, writeCellList } from "./cell-list.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cell-list-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function makeCell(id: string, text = JSON.stringify({ id, levels: { seed: 1 }, recipe: {} })): void {
  mkdirSync(join(folder, "cells", id), { recursive: true });
  writeFileSync(join(folder, "cells", id, "cell.json"), text);
}

test("the list of the last launch counts, begun or not; without it the folders that are there", () => {
  makeCell("b");
  makeCell("a");
  makeCell("broken", "{");
  expect(readCellList(folder).cells.map(({ id }) => id)).toEqual(["a", "b"]);
  const cells = [{ id: "c", levels: { plw: 0.1 }, recipe: {} as never }];
  writeCellList({ name: "mine", output: folder, cells });
  expect(readCellList(folder)).toEqual({ study: "mine", cells: [{ id: "c", levels: { plw: 0.1 } }] });
});

test("no id leads out of the folder", () => {
  const ids = ["../x", "a/b", "..", ".", "", ".hidden", "a b"];
  writeFileSync(join(folder, "cells.json"), JSON.stringify({ cells: ids.map((id) => ({ id, levels: {} })) }));
  expect(readCellList(folder).cells).toEqual([]);
  for (const text of ['{"a":1}', "null", "[]", "{", '{"cells":[null,1,{"id":1}]}']) {
    writeFileSync(join(folder, "cells.json"), text);
    expect(readCellList(folder), text).toEqual({ study: undefined, cells: [] });
  }
});
