import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeRun } from "../../../test/studio/made-run.ts";
import { readRunCard, readRunDetail } from "./run.ts";
import { idOf, scanFolder } from "./scan.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "studio-scan-"));
});
afterEach(() => rmSync(root, { recursive: true }));

function names(): string[] {
  return [...scanFolder(root).runs.values()].map(({ name }) => name).sort();
}

describe("what lies below a folder", () => {
  test("runs by their paths, those of a study's cells with the study", () => {
    makeRun(join(root, "one"));
    makeRun(join(root, "deep/er/two"));
    makeRun(join(root, "study/cells/abc/run"));
    writeFileSync(join(root, "study/cells/abc/cell.json"), "{}");
    const { runs, studies, cut } = scanFolder(root);
    expect(names()).toEqual(["deep/er/two", "one", "study/cells/abc/run"]);
    expect([...studies.values()].map(({ name }) => name)).toEqual(["study"]);
    expect(runs.get(idOf("study/cells/abc/run"))?.study).toBe(idOf("study"));
    expect(runs.get(idOf("one"))?.study).toBeUndefined();
    expect(cut).toBe(false);
  });

  test("the folder itself, where it is a run", () => {
    makeRun(root);
    expect(names()).toEqual([basename(root)]);
  });

  test("no links, no hidden folders, nothing inside of a run, nobody else's manifests", () => {
    makeRun(join(root, "run"));
    makeRun(join(root, "run/inside"));
    makeRun(join(root, ".hidden/run"));
    symlinkSync(root, join(root, "loop"));
    mkdirSync(join(root, "site"));
    writeFileSync(join(root, "site/manifest.json"), "{}");
    expect(names()).toEqual(["run"]);
  });

  test("a folder that is gone has nothing", () => {
    expect(scanFolder(join(root, "gone")).runs.size).toBe(0);
  });
});

describe("a run's card", () => {
  function card(name: string) {
    return readRunCard(scanFolder(root).runs.get(idOf(name))!);
  }

  test("says how far it is", () => {
    makeRun(join(root, "run"), { steps: 20, promptLossWeight: 0.25 });
    expect(card("run")).toMatchObject({
      ...{ name: "run", state: "completed", step: 20, steps: 20, model: "tiny", promptLossWeight: 0.25 },
      ...{ tokensPerSecond: 200, secondsLeft: null },
    });
  });

  test("of a run whose process left no word: lost; of one that failed: why", () => {
    makeRun(join(root, "lost"), { steps: 5, of: 20, end: null });
    const failed = { reason: "failed", step: 5, error: { name: "E", message: "m" }, at: "" } as const;
    makeRun(join(root, "failed"), { steps: 5, of: 20, end: failed });
    expect(card("lost")?.state).toBe("lost");
    expect(card("failed")?.state).toBe("failed");
    expect(readRunDetail(scanFolder(root).runs.get(idOf("failed"))!)?.error).toEqual(failed.error);
  });

  test("undefined for what only looks like a run", () => {
    makeRun(join(root, "run"));
    const whole = { fingerprint: "f", recipe: {}, steps: 3, startedAt: "2024", promptLossWeight: 0 };
    const halves = Object.keys(whole).map((key) => JSON.stringify({ ...whole, [key]: null }));
    for (const text of ["{}", "null", "[1]", "{", ...halves]) {
      writeFileSync(join(root, "run/manifest.json"), text);
      expect(card("run"), text).toBeUndefined();
    }
  });
});
