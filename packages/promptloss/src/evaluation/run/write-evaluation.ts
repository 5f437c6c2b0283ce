// Scores of something that is no task file, in the form of an evaluation, so that `compare` reads them.
import { libtorch } from "@promptloss/torch";
import { version } from "../../version.ts";
import { mean, standardError } from "../metrics/spread.ts";
import { RecordFile, writeScores } from "./records.ts";
import type { EvaluationRecord, EvaluationScore } from "./types.ts";

export interface OwnEvaluation {
  /** A name that no task of the folder has. */
  readonly task: string;
  readonly metric: string;
  readonly higherIsBetter: boolean;
  /** As scores name it. */
  readonly model: string;
  readonly dtype: string;
  /** One at least, in order; each has the metric. */
  readonly records: readonly EvaluationRecord[];
}

/** Puts records and their mean in place of those that the folder had of the task. */
export function writeEvaluation(folder: string, evaluation: OwnEvaluation): EvaluationScore {
  const { task, metric, higherIsBetter, model, dtype, records } = evaluation;
  new RecordFile(folder, task, undefined, true).finish(records);
  const values = records.map(({ metrics }) => metrics[metric]!);
  const error = standardError(values);
  const score: EvaluationScore = {
    task,
    metric,
    value: mean(values),
    ...(error !== undefined && { standardError: error }),
    n: records.length,
    higherIsBetter,
    primary: true,
    settings: { model, dtype, taskVersion: 1, split: "", shots: 0, truncated: 0 },
    versions: { promptloss: version, libtorch: libtorch().version, node: process.version },
  };
  writeScores(folder, task, [score]);
  return score;
}
