import type { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import pc from "picocolors";
import { expect, test } from "vitest";
import { clipped, LiveLines } from "./live-lines.ts";

const colors = pc.createColors(true);

test("lines are cut to the columns that they take, colors left whole", () => {
  expect(clipped(`${colors.green("━━━")}${colors.red("✗")} 12 done`, 6)).toBe(
    `${colors.green("━━━")}${colors.red("✗")} 1`,
  );
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 5 })), fc.nat(30), (parts, columns) => {
      const plain = parts.map((part) => stripVTControlCharacters(part).replaceAll("\x1b", ""));
      const cut = clipped(plain.map((part) => colors.red(part)).join(""), columns);
      expect(stripVTControlCharacters(cut)).toBe([...plain.join("")].slice(0, columns).join(""));
    }),
  );
});

const ESCAPE = "\u001b";
const PIECE = new RegExp(`${ESCAPE}\\[\\d*[AJ]|\\n|[^\\n${ESCAPE}]+`, "g");

/** What a terminal shows: it knows line ends, going up and clearing downwards. */
function screen() {
  const rows: string[] = [""];
  const write = (text: string): boolean => {
    for (const [piece] of text.matchAll(PIECE)) {
      if (piece === "\n") rows.push("");
      else if (piece.endsWith("A")) rows.splice(rows.length - 1 - Number(piece.slice(2, -1)));
      else if (piece.endsWith("J")) rows.push("");
      else rows[rows.length - 1] += piece;
    }
    return true;
  };
  const out = { isTTY: true, columns: 20, rows: 30, write } as unknown as WriteStream;
  return { out, shown: () => rows.slice(0, -1) };
}

test("lines that stay go above those that are painted anew", () => {
  const { out, shown } = screen();
  const lines = new LiveLines(out);
  lines.show(["a 1", "b 1"]);
  lines.print("first");
  lines.show(["a 2"]);
  lines.print("second");
  expect(shown()).toEqual(["first", "second", "a 2"]);
  lines.show([]);
  expect(shown()).toEqual(["first", "second"]);
});

test("where nobody watches, only what stays is written", () => {
  const { out, shown } = screen();
  const lines = new LiveLines(Object.assign(out, { isTTY: false }));
  lines.show(["a 1"]);
  lines.print("first");
  expect(shown()).toEqual(["first"]);
});
