// The README's program, run as a newcomer would run it.
import { expect, test } from "vitest";
import { programsOf, runProgram } from "../../../test/programs.ts";

test("the README's complete program learns XOR", () => {
  const [program] = programsOf("packages/torch/README.md");
  const run = runProgram("packages/torch", program!);
  expect(run.stderr).toBe("");
  const losses = [...run.stdout.matchAll(/loss (\S+)/g)].map((match) => Number(match[1]));
  expect(losses).toHaveLength(5);
  // Stuck at a constant answer the loss is 0.25.
  expect(losses.at(-1)).toBeLessThan(1e-3);
});
