// `promptloss compare`: two evaluations item by item.
import { Command, InvalidArgumentError } from "commander";
import { type Comparison, compareEvaluations } from "../evaluation/index.ts";
import { harmlessJson } from "../terminal/index.ts";
import { textTable } from "../terminal/text-table.ts";
import { anyNumber, positiveCount, wholeNumber } from "./options.ts";

interface Flags {
  tasks?: string[];
  resamples?: number;
  seed?: number;
  level?: number;
  json?: true;
}

export function compareCommand(): Command {
  return new Command("compare")
    .description("compare two evaluations item by item: paired differences, intervals and tests")
    .argument("<a>", "the output folder of promptloss evaluate")
    .argument("<b>", "another, of the same items")
    .option("--tasks <names>", "with commas between them; all that both have where left out", (text) =>
      text.split(",").map((name) => name.trim()),
    )
    .option("--resamples <count>", "of the bootstrap (1000)", positiveCount)
    .option("--seed <number>", "of the bootstrap (0)", wholeNumber)
    .option("--level <share>", "of the intervals (0.95)", share)
    .option("--json", "print the comparisons as JSON")
    .action((a: string, b: string, { json, ...options }: Flags) => {
      const found = compareEvaluations(a, b, options);
      process.stdout.write(json ? `${harmlessJson(found, 2)}\n` : `${comparisonsTable(found)}\n`);
    });
}

function share(text: string): number {
  const value = anyNumber(text);
  if (value <= 0 || value >= 1) throw new InvalidArgumentError("It should be between 0 and 1.");
  return value;
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
