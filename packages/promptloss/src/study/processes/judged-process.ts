// The process that has a cell's model answer instructions and a judge compare the answers with others.
// Usage: node judged-process.js '{"task": "alpaca-eval", "model": "run/model", "reference": "davinci.jsonl", "judge": {"endpoint": "http://127.0.0.1:8000/v1"}, "output": "evaluation/alpaca-eval"}'
import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { setNumThreads } from "@promptloss/torch";
import { type Answer, answerRows } from "../../evaluation/judges/answer-rows.ts";
import {
  type Judgment,
  judgePairs,
  type OutputPair,
  openJudge,
  readOutputs,
} from "../../evaluation/judges/index.ts";
import { replaceFile } from "../../files/atomic.ts";
import { TextGenerator } from "../../generation/index.ts";
import { identityOf, resolveModelPaths } from "../../generation/text/model-folder.ts";
import type { TaskScore } from "../evaluate/evaluator.ts";
import { judgedScores } from "../evaluate/judged-scores.ts";
import type { JudgedArguments } from "../evaluate/judged-task.ts";
import { answerTask } from "../evaluate/task-process.ts";

/**
 * How a cell's model answers where the study file does not say. PandaLM's are its own; AlpacaEval leaves decoding to the
 * model, and greedy with so much room is our choice.
 */
const DECODING = {
  "alpaca-eval": { maxNewTokens: 512 },
  pandalm: { maxNewTokens: 300, beams: 4, repetitionPenalty: 1.2 },
} as const;

async function compute(settings: JudgedArguments, signal: AbortSignal): Promise<readonly TaskScore[]> {
  const { task, reference, data, limit, output, threads, seed = 0 } = settings;
  if (threads !== undefined) setNumThreads(threads);
  const file =
    existsSync(reference) || isAbsolute(reference) || data === undefined ? reference : join(data, reference);
  const rows = readOutputs(file).slice(0, limit);
  const answers = await answersOf(settings, rows, signal);
  if (answers === undefined) return [];
  const pairs = rows.map(
    ({ instruction, input, output: other }, i): OutputPair => ({
      ...{ instruction, input, candidate: answers[i]!.output, reference: other },
    }),
  );
  const { judge, free } = await openJudge(settings.judge);
  try {
    const cache = join(output, "judge.jsonl");
    const judgment = await judgePairs(pairs, judge, { protocol: task, seed, cache, signal });
    writeVerdicts(output, judgment);
    return judgedScores(judgment, answers);
  } finally {
    free();
  }
}

/** Undefined where the signal cut it short. */
async function answersOf(
  { task, model, output, maxNewTokens, beams, repetitionPenalty, dtype = "float32", device }: JudgedArguments,
  rows: Parameters<typeof answerRows>[0],
  signal: AbortSignal,
): Promise<Answer[] | undefined> {
  using generator = await TextGenerator.load(model, { dtype, ...(device !== undefined && { device }) });
  const asked = {
    ...(maxNewTokens !== undefined && { maxNewTokens }),
    ...(beams !== undefined && { beams }),
    ...(repetitionPenalty !== undefined && { repetitionPenalty }),
  };
  // Awaited here: the weights are freed when the function is left.
  return await answerRows(rows, generator, {
    ...DECODING[task],
    ...asked,
    file: join(output, "answers.jsonl"),
    identity: JSON.stringify([dtype, generator.template.fingerprint, identityOf(resolveModelPaths(model))]),
    signal,
  });
}

function writeVerdicts(folder: string, { pairs, protocol, judge, seed }: Judgment): void {
  const lines = pairs.map((pair) => `${JSON.stringify({ ...pair, protocol, judge, seed })}\n`);
  replaceFile(join(folder, "verdicts.jsonl"), lines.join(""));
}

await answerTask(compute);
