// Figures in the pages come from the benches' JSON: between markers, as the benches' own programs write them.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { SamplingTally } from "../../../bench/src/calibration/sampling.ts";
import { aimLines, ruleLines } from "../../../bench/src/calibration/table.ts";
import type { Tally } from "../../../bench/src/calibration/tally.ts";
import { type TuningFigures, worthLines } from "../../../bench/src/tuning/worth.ts";

const docs = new URL("../../../docs/", import.meta.url);

function figures<Raw>(name: string): Raw {
  return JSON.parse(readFileSync(new URL(`benchmarks-${name}.json`, docs), "utf8")) as Raw;
}

function between(page: string, marker: string): string {
  const parts = readFileSync(new URL(page, docs), "utf8").split(new RegExp(`<!-- /?${marker} -->`));
  expect(parts).toHaveLength(3);
  return parts[1]!.trim();
}

test("docs/statistics.md says of the aims and of other rules what the figures say", () => {
  const { tallies, sampling } = figures<{ tallies: Tally[]; sampling: SamplingTally[] }>("calibration");
  expect(between("statistics.md", "calibration-aims")).toBe(aimLines(tallies));
  expect(between("statistics.md", "calibration-rules")).toBe(ruleLines(tallies, sampling));
});

test("docs/choosing.md says of choices and searches what the figures say", () => {
  expect(between("choosing.md", "tuning-worth")).toBe(worthLines(figures<TuningFigures>("tuning")));
});
