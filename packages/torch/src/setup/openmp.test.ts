import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bareMachine, fakeProgram, temporaryFolder } from "../../test/setup/fake-libtorch.ts";
import type { Compiler } from "./compiler.ts";
import { openmpArguments } from "./openmp.ts";

/** A compiler that answers after `seconds`, and only where its source, the last argument, is still there. */
function slowCompiler(folder: string, seconds: number): Compiler {
  const program = `slow-${seconds}`;
  fakeProgram(folder, program, `sleep ${seconds}; for source; do :; done; test -f "$source"`);
  return { command: [program], family: "gcc", version: "1" };
}

test("compilers asked at once do not disturb each other", async () => {
  const folder = temporaryFolder();
  const probes = join(folder, "probes");
  mkdirSync(probes);
  const compilers = [0, 0.3, 0.6].map((seconds) => slowCompiler(folder, seconds));
  const machine = bareMachine(folder);
  const asked = await Promise.all(compilers.map((each) => openmpArguments(each, machine, probes)));
  expect(asked).toEqual([["-fopenmp"], ["-fopenmp"], ["-fopenmp"]]);
  expect(readdirSync(probes).every((name) => name.endsWith(".json"))).toBe(true);
});

test("no OpenMP is an answer too", async () => {
  const folder = temporaryFolder();
  fakeProgram(folder, "bare", "exit 1");
  const compiler: Compiler = { command: ["bare"], family: "gcc", version: "1" };
  expect(await openmpArguments(compiler, bareMachine(folder), join(folder, "probes"))).toEqual([]);
});
