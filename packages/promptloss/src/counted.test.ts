import { expect, test } from "vitest";
import { counted } from "./counted.ts";

test("one has no s, and all others have", () => {
  expect([counted(0, "row"), counted(1, "row"), counted(1200, "row")]).toEqual([
    "0 rows",
    "1 row",
    "1,200 rows",
  ]);
  expect([counted(1, "reply", "replies"), counted(2, "reply", "replies")]).toEqual(["1 reply", "2 replies"]);
});
