// The process that evaluates a cell's model, so that a native crash or a kill for memory is that cell's failure alone.
// The last line of standard output is its answer in JSON: scores, or what went wrong.
// Usage: node evaluation-process.js '{"model": "run/model", "task": "mctest", "data": "data/eval", "output": "run/evaluation"}'
import { writeSync } from "node:fs";
import { EvaluationError, type EvaluationScore, evaluate } from "../../evaluation/index.ts";
import type { ModelTaskOptions } from "./model-task.ts";

export interface EvaluationArguments extends ModelTaskOptions {
  readonly model: string;
  readonly task: string;
  /** For records, which an evaluation that was cut short goes on from. */
  readonly output: string;
}

export type EvaluationAnswer =
  | { readonly scores: readonly EvaluationScore[] }
  | { readonly error: { readonly name: string; readonly message: string; readonly hint?: string } };

const answer = (value: EvaluationAnswer): void => {
  writeSync(1, `\n${JSON.stringify(value)}\n`);
};

const main = async (): Promise<void> => {
  const { task, ...options } = JSON.parse(process.argv[2] ?? "{}") as EvaluationArguments;
  const abort = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => abort.abort());
  const attempt = (overwrite: boolean) =>
    evaluate({ ...options, tasks: [task], overwrite, signal: abort.signal });
  try {
    let result = await attempt(false);
    // Records of a model that was trained again meanwhile: the folder is the cell's own, so they may go.
    if (result.failures[0]?.error instanceof EvaluationError) result = await attempt(true);
    const [failure] = result.failures;
    if (failure !== undefined) throw failure.error;
    answer({ scores: result.scores });
  } catch (error) {
    const { name, message, hint } = error as Error & { hint?: string };
    answer({ error: { name, message, ...(hint !== undefined && { hint }) } });
  }
};

await main();
