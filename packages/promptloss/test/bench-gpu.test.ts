// The benchmark of a GPU at toy size on the CPU: that it runs, what it measures and prints. It says nothing of speed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { casesOf, checkpoints, rowsOf } from "../../../bench/src/gpu/cases.ts";
import { againstTrl, type GpuFigures, lossDifference, sectionOf } from "../../../bench/src/gpu/section.ts";
import { compiled } from "../../../test/compiled.ts";

const program = fileURLToPath(new URL("../../../bench/dist/gpu/main.js", import.meta.url));

test("a dry run measures and goes on where it stopped", () => {
  // What it imports is compiled with the packages.
  expect(compiled("packages/promptloss", "index.js")).toContain("dist");
  const place = mkdtempSync(join(tmpdir(), "bench-gpu-"));
  onTestFinished(() => rmSync(place, { recursive: true }));
  const file = join(place, "figures.json");
  const run = (...more: string[]) => {
    const args = ["--dry-run", "--sides", "ours", "--results", file, "--models", join(place, "models")];
    const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args, ...more], {
      encoding: "utf8",
    });
    expect([status, status === 0 ? "" : stderr]).toEqual([0, ""]);
    return stdout;
  };
  expect(run("--weights", "0.1", "--methods", "lora")).toContain("toy lora 32 0.1: done");
  // The one that is there is not measured again.
  const stdout = run("--weights", "0.1", "--minutes", "0");
  expect(stdout).not.toContain("lora 32 0.1: done");
  expect(stdout).toContain("the time is up with 1 cases left");
  expect(stdout).toMatch(/\| toy \| lora \| 32 \| 0\.1 \| \d+, \d+\.\d GiB \|/);
  const { results } = JSON.parse(readFileSync(file, "utf8")) as GpuFigures;
  const [{ sides, work }] = results as [GpuFigures["results"][number]];
  expect(sides.ours!.losses).toHaveLength(8);
  // Near the logarithm of the vocabulary, as weights are drawn.
  expect(Math.abs(sides.ours!.losses[0]! - Math.log(512))).toBeLessThan(0.3);
  expect(work).toBeGreaterThan(4 * 512 * 64);
});

test("the section compares with TRL and with the bare loop", () => {
  const [each] = casesOf(["7b"], ["full"], [2048], [0]);
  expect([rowsOf(each!), checkpoints(each!)]).toEqual([4, true]);
  const side = (speed: number, peak: number, loss: number) => ({
    version: "v",
    speeds: [speed],
    peak: peak * 2 ** 30,
    losses: [10, loss],
  });
  const result = {
    case: each!,
    work: 4e10,
    sides: { ours: side(12000, 80, 9.9), bare: side(9000, 90, 9.999), trlBest: side(8000, 100, 9) },
    failed: {},
  };
  expect(againstTrl(result)).toEqual({ speed: 1.5, memory: 0.8 });
  expect(lossDifference(result)).toBeCloseTo(0.0099, 4);
  const failing = { ...result, sides: { ours: result.sides.ours }, failed: { bare: "bare ended" } };
  const text = sectionOf({ device: "a card", rate: 1e15, rateFrom: "given", results: [result, failing] });
  expect(text).toContain(
    "| 7b | full | 2048 | 0 | 12000, 80.0 GiB | 9000, 90.0 GiB | 8000, 100.0 GiB | 1.50 | 0.80 | 48.0 % | 9.9e-3 |",
  );
  expect(text).toContain("| none: bare ended |");
});
