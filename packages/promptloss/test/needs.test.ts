import { expect, test } from "vitest";
import { demandedBy } from "../../../test/needs.ts";

test("REQUIRE_ALL demands nothing, all that a machine can be given, or what it names", () => {
  for (const nothing of [undefined, "", "0"]) expect([...demandedBy(nothing)]).toEqual([]);
  expect([...demandedBy("1")]).toEqual(["shared", "chromium", "slurm", "llamaCpp", "python", "zsh", "fish"]);
  expect([...demandedBy("cuda, python")]).toEqual(["python", "cuda"]);
  expect(() => demandedBy("chrome")).toThrow("no test needs chrome, but shared, chromium");
});
