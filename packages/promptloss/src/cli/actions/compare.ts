import { type Comparison, compareEvaluations } from "../../evaluation/index.ts";
import { harmlessJson } from "../../terminal/index.ts";
import { textTable } from "../../terminal/text-table.ts";

interface Flags {
  tasks?: string[];
  resamples?: number;
  seed?: number;
  level?: number;
  json?: true;
}

function comparisonsTable(found: readonly Comparison[]): string {
  const signed = (value: number): string => `${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(4)}`;
  const rows = found.map(({ task, metric, n, a, b, difference, interval, test }) => [
    task,
    metric,
    String(n),
    a.toFixed(4),
    b.toFixed(4),
    signed(difference),
    `${signed(interval[0])} to ${signed(interval[1])}`,
    `${test.aHigher} : ${test.bHigher}`,
    `${test.p < 0.0001 ? "< 0.0001" : test.p.toFixed(4)} ${test.name}`,
  ]);
  const level = `${100 * (found[0]?.level ?? 0.95)} % interval`;
  const notes = found.flatMap(({ task, metric, note }) =>
    note === undefined ? [] : [`${task} ${metric}: ${note}`],
  );
  const table = textTable(
    [["task", "metric", "items", "a", "b", "b − a", level, "a : b higher", "p"], ...rows],
    ["left", "left", "right", "right", "right", "right", "left", "right", "left"],
  );
  return [...table, ...notes].join("\n");
}

export async function runCompare(a: string, b: string, { json, ...options }: Flags): Promise<void> {
  const found = compareEvaluations(a, b, options);
  process.stdout.write(json ? `${harmlessJson(found, 2)}\n` : `${comparisonsTable(found)}\n`);
}
