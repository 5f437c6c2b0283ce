// Figures in the pages come from the benches' JSON: between markers, as the benches' own programs write them.
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import {
  aimLines,
  type CalibrationFigures,
  sectionOf as calibration,
  ruleLines,
} from "../../../bench/src/calibration/table.ts";
import { sectionOf as data } from "../../../bench/src/data/section.ts";
import { sectionOf as evaluation } from "../../../bench/src/evaluation/section.ts";
import { sectionOf as generation } from "../../../bench/src/generation/section.ts";
import { sectionOf as gpu } from "../../../bench/src/gpu/section.ts";
import { sectionOf as kernels } from "../../../bench/src/kernels/section.ts";
import { sectionOf as large } from "../../../bench/src/large/section.ts";
import { type SpeedFigures, speedLines } from "../../../bench/src/lib/speeds.ts";
import { sectionOf as processes } from "../../../bench/src/processes/section.ts";
import { sectionOf as torch } from "../../../bench/src/torch/section.ts";
import { costSectionOf } from "../../../bench/src/training/costs.ts";
import type { Result } from "../../../bench/src/training/measure.ts";
import { type Setting, sectionOf as training } from "../../../bench/src/training/table.ts";
import { sectionOf as tuning } from "../../../bench/src/tuning/section.ts";
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

type TrainingFigures = Setting & { readonly results: readonly Result[] };

/** Of benches whose figures come from machines that are not always at hand. */
const ONCE_RUN: Readonly<Record<string, (raw: never) => string>> = { gpu, kernels };

const SECTIONS: Readonly<Record<string, (raw: never) => string>> = {
  ...{ calibration, data, evaluation, generation, large, processes, torch, tuning },
  training: (raw: TrainingFigures) => training(raw.results, raw),
  "training-amx": (raw: TrainingFigures) => training(raw.results, raw),
  ...Object.fromEntries(
    Object.entries(ONCE_RUN).filter(([name]) => existsSync(new URL(`benchmarks-${name}.json`, docs))),
  ),
  "training-costs": (raw: TrainingFigures) => costSectionOf(raw.results, raw),
};

test.each(Object.entries(SECTIONS))("docs/BENCHMARKS.md says of %s what the figures say", (name, section) => {
  expect(between("BENCHMARKS.md", name)).toBe(section(figures<never>(name)).trim());
});

test("docs/BENCHMARKS.md has no other sections", () => {
  const page = readFileSync(new URL("BENCHMARKS.md", docs), "utf8");
  const names = [...page.matchAll(/<!-- ([a-z-]+) -->/g)].map(([, name]) => name!);
  expect(names.sort()).toEqual(Object.keys(SECTIONS).sort());
});

test("docs/statistics.md says of the aims and of other rules what the figures say", () => {
  const { tallies, sampling } = figures<CalibrationFigures>("calibration");
  expect(between("statistics.md", "calibration-aims")).toBe(aimLines(tallies));
  expect(between("statistics.md", "calibration-rules")).toBe(ruleLines(tallies, sampling));
});

test("docs/choosing.md says of choices and searches what the figures say", () => {
  expect(between("choosing.md", "tuning-worth")).toBe(worthLines(figures<TuningFigures>("tuning")));
});

test("the README says of speed what the figures say", () => {
  const raw = {
    training: figures<SpeedFigures["training"]>("training"),
    evaluation: figures<SpeedFigures["evaluation"]>("evaluation"),
    generation: figures<SpeedFigures["generation"]>("generation"),
  };
  expect(readFileSync(new URL("../README.md", docs), "utf8")).toContain(speedLines(raw));
});
