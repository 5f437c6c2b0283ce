// Tasks against lm-evaluation-harness on real models: test/python/evaluation_goldens.py makes the goldens.
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { needs } from "../../../test/needs.ts";
import { type EvaluationTask, evaluate, loadTask } from "../src/evaluation/index.ts";
import { sharedPath } from "./shared.ts";

interface Golden {
  task: string;
  model: string;
  limit: number;
  shots: number;
  metrics: Record<string, number>;
  maxNewTokens?: number;
  logLikelihoods?: number[][];
  answers?: string[];
  examples?: "first";
  maxLength?: number;
  /** Of the first item: contexts, with what is scored behind them. */
  requests?: [context: string, continuation?: string][];
}

const folder = new URL("./goldens/evaluation/", import.meta.url);
const names = readdirSync(folder)
  .filter((name) => name !== "random.json")
  .map((name) => name.slice(0, -".json".length));

/** TruthfulQA's metric is called acc there. */
const NAMES: Readonly<Record<string, string>> = { mc1: "acc", mc2: "acc" };

/** As the golden's task was: without training rows where examples came from the evaluated ones. */
function taskOf(name: string, golden: Golden): EvaluationTask {
  const task = loadTask(golden.task);
  if (!name.endsWith("same-split")) return task;
  const { train: _, ...data } = task.data;
  return { ...task, data };
}

const [data, models] = [sharedPath("data", "eval"), sharedPath("models")];

needs("shared", data && models).describe(`lm-evaluation-harness`, () => {
  test.each(names)("%s", { timeout: 600_000 }, async (name) => {
    const golden = JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8")) as Golden;
    const task = taskOf(name, golden);
    const { scores, records, failures } = await evaluate({
      model: `${models}/${golden.model}`,
      tasks: [task],
      data: data!,
      limit: golden.limit,
      ...(!task.fixedShots && { shots: golden.shots }),
      ...(golden.examples !== undefined && { examples: golden.examples }),
      ...(golden.maxLength !== undefined && { maxLength: golden.maxLength }),
      ...(golden.maxNewTokens !== undefined && { maxNewTokens: golden.maxNewTokens }),
    });
    expect(failures).toEqual([]);
    const items = records[golden.task]!;
    if (golden.answers !== undefined)
      expect(items.map(({ completion }) => completion)).toEqual(golden.answers);
    if (golden.requests !== undefined) {
      const { prompts, continuations } = items[0]!;
      expect(prompts).toEqual([...new Set(golden.requests.map(([context]) => context))]);
      const scored = golden.requests.flatMap(([, continuation]) => continuation ?? []);
      expect(continuations ?? []).toEqual(scored);
    }
    golden.logLikelihoods?.forEach((expected, i) => {
      const { logLikelihoods } = items[i]!;
      expect(logLikelihoods).toHaveLength(expected.length);
      // Sums of up to a hundred float32 logarithms, in other orders; the goldens have four decimals.
      expected.forEach((value, k) => {
        expect(Math.abs(logLikelihoods![k]! - value), `item ${i}, choice ${k}`).toBeLessThan(1e-3);
      });
    });
    // Metrics of choices are the same counts; the probabilities of mc2 follow log-likelihoods to 1e-3.
    const tolerance = golden.task === "truthfulqa_mc2" ? 1e-3 : 1e-9;
    // Goldens made without Python's rouge_score have no ROUGE, which has goldens of its own.
    const known = ({ metric }: { metric: string }): boolean =>
      !metric.startsWith("rouge") || golden.metrics[metric] !== undefined;
    for (const { metric, value, standardError } of scores.filter(known)) {
      const theirs = NAMES[metric] ?? metric;
      expect(Math.abs(value - golden.metrics[theirs]!), metric).toBeLessThan(tolerance);
      expect(Math.abs(standardError! - golden.metrics[`${theirs}_stderr`]!), metric).toBeLessThan(tolerance);
    }
  });
});
