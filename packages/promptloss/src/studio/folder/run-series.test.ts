import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stepLine } from "../../../test/studio/made-run.ts";
import { MetricsFile } from "../../training/events/metrics-file.ts";
import type { TableChange } from "../api.ts";
import { RunSeries } from "./run-series.ts";
import { SeriesTable } from "./series-table.ts";

describe("a table of steps", () => {
  const losses = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 1, maxLength: 400 });
  const most = fc.integer({ min: 1, max: 20 }).map((half) => 2 * half);

  test("has at most so many rows, whose means, bounds and steps are those of all lines", () => {
    fc.assert(
      fc.property(losses, most, (all, rows) => {
        const table = new SeriesTable(rows);
        all.forEach((loss, i) => {
          table.add({ ...stepLine(i + 1), loss });
        });
        const { columns, width } = table.change()!;
        const { step, loss, lossLow, lossHigh, seconds } = columns as Record<string, number[]>;
        expect(step!.length).toBeLessThanOrEqual(rows);
        expect(step!.at(-1)).toBe(all.length);
        expect(seconds!.at(-1)).toBeCloseTo(all.length / 2);
        const counts = step!.map((last, i) => last - (step![i - 1] ?? 0));
        // The last row may still grow.
        expect(counts.slice(0, -1).filter((count) => count !== width)).toEqual([]);
        expect(counts.at(-1)).toBeLessThanOrEqual(width);
        expect(width).toBe(2 ** Math.max(0, Math.ceil(Math.log2(all.length / rows))));
        counts.forEach((count, i) => {
          const part = all.slice(step![i]! - count, step![i]!);
          expect(loss![i]).toBeCloseTo(part.reduce((a, b) => a + b) / count, 9);
          expect([lossLow![i], lossHigh![i]]).toEqual([Math.min(...part), Math.max(...part)]);
        });
      }),
    );
  });

  test("what no line says is no column, what some lines leave out counts in no mean", () => {
    const table = new SeriesTable(2);
    const { prompt, ...without } = stepLine(1);
    for (const line of [without, { ...without, prompt: { ...prompt!, loss: 4 } }, without, without])
      table.add(line);
    expect(table.change()?.columns.promptLoss).toEqual([4, null]);
    expect(table.change()).toBeUndefined();
    expect(Object.keys(table.change()?.columns ?? {})).not.toContain("penalty");
  });
});

describe("a metrics file as it grows", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "studio-series-"));
    path = join(folder, "metrics.jsonl");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const line = (step: number): string => `${JSON.stringify(stepLine(step))}\n`;
  const steps = (change: { steps: TableChange | null } | undefined) => change?.steps?.columns.step;

  test("what is new is told once; a line waits for its end", () => {
    const series = new RunSeries(path, 100);
    // Nothing is there, and that is said.
    expect(series.poll()?.steps).toEqual({ width: 1, from: 0, columns: {} });
    writeFileSync(path, line(1) + line(2).slice(0, 30));
    expect(steps(series.poll())).toEqual([1]);
    expect(series.poll()).toBeUndefined();
    appendFileSync(path, line(2).slice(30) + line(3));
    // The last row may have grown, so it comes again.
    const change = series.poll();
    expect([change?.steps?.from, steps(change)]).toEqual([0, [1, 2, 3]]);
    appendFileSync(path, line(4));
    const next = series.poll();
    expect([next?.steps?.from, steps(next)]).toEqual([2, [3, 4]]);
  });

  test("a run that goes on from an earlier step begins anew", () => {
    writeFileSync(path, [1, 2, 3, 4].map(line).join(""));
    const series = new RunSeries(path, 100);
    series.poll();
    // A longer file than before: its size alone would not tell.
    const again = new MetricsFile(path, 2);
    for (const step of [3, 4, 5, 6]) again.add({ ...stepLine(step), loss: 9 });
    const change = series.poll();
    expect([change?.steps?.from, steps(change)]).toEqual([0, [1, 2, 3, 4, 5, 6]]);
    expect(change?.steps?.columns.loss?.slice(2)).toEqual([9, 9, 9, 9]);
  });

  test("what is no line of metrics is passed over", () => {
    writeFileSync(path, `null\n[]\n"x"\n{"type":"other"}\nno json\n${line(1)}`);
    expect(steps(new RunSeries(path, 100).poll())).toEqual([1]);
  });
});
