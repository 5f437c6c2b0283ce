// A judgment as scores of a cell: rates in percent with their standard errors, and how long the answers are.
import type { Answer } from "../../evaluation/judges/answer-rows.ts";
import type { Judgment } from "../../evaluation/judges/index.ts";
import { mean, standardError as standardErrorOf } from "../../evaluation/metrics/spread.ts";
import type { TaskScore } from "./evaluator.ts";

/** The length-controlled rate is missing where its model has no estimate. */
export const JUDGED_METRICS = [
  "win_rate",
  "length_controlled_win_rate",
  "win",
  "tie",
  "lose",
  "unreadable",
  "answer_tokens",
] as const;

/** The win rate stands for the task. Ties and lengths are described by more, not made better. */
export function judgedScores(
  { winRate, standardError, lengthControlled, wins, ties, losses, n, unreadable, pairs }: Judgment,
  answers: readonly Pick<Answer, "length">[],
): TaskScore[] {
  const lengths = answers.map(({ length }) => length);
  return [
    score("win_rate", winRate, { standardError, items: n }, { primary: true }),
    ...(lengthControlled === undefined
      ? []
      : [
          score("length_controlled_win_rate", lengthControlled.winRate, {
            standardError: lengthControlled.standardError,
            items: n,
          }),
        ]),
    share("win", wins, n),
    share("tie", ties, n),
    share("lose", losses, n, false),
    share("unreadable", unreadable, pairs.length, false),
    score("answer_tokens", mean(lengths), { standardError: standardErrorOf(lengths), items: lengths.length }),
  ];
}

type JudgedMetric = (typeof JUDGED_METRICS)[number];

function score(
  metric: JudgedMetric,
  value: number,
  { standardError, items }: { readonly standardError: number | undefined; readonly items: number },
  { primary = false, higherIsBetter = true } = {},
): TaskScore {
  return {
    ...{ metric, value, items, higherIsBetter, primary },
    ...(standardError !== undefined && { standardError }),
  };
}

/** In percent, with the standard error of a mean (n − 1 in the variance). */
function share(metric: JudgedMetric, count: number, n: number, higherIsBetter = true): TaskScore {
  const p = count / n;
  const standardError = n < 2 ? undefined : 100 * Math.sqrt((p * (1 - p)) / (n - 1));
  return score(metric, 100 * p, { standardError, items: n }, { higherIsBetter });
}
