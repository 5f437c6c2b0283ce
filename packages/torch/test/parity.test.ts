// Python's torch loads the very library of fused operators that Node uses, and finds them equal to its own.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import { readCurrentBuild } from "../src/setup/index.ts";

const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
const build = readCurrentBuild();
const { stdout } = spawnSync(python, ["-c", "import torch; print(torch.__version__.split('+')[0])"], {
  encoding: "utf8",
});
const version = stdout?.trim() ?? "";
const matches = build !== undefined && version === build.libtorch.version;

const PROGRAMS = [
  "weighted_cross_entropy_parity.py",
  "weighted_cross_entropy_refusals.py",
  // Python has the shapes of libtorch's attention, and takes kernels of its own in the CPU's place.
  "accelerator_calls.py",
];

needs("python", matches).describe(`Python's torch`, () => {
  test.each(PROGRAMS)("%s", (name) => {
    const program = fileURLToPath(new URL(`python/${name}`, import.meta.url));
    const { status, stdout, stderr } = spawnSync(python, [program, build?.ops ?? ""], { encoding: "utf8" });
    expect([status, status === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
    expect(stdout).toContain("all passed");
  });
});
