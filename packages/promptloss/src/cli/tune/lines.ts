// A search in lines: a run as it is proposed and as it ends, and the report.
import { counted } from "../../counted.ts";
import { GAP_UNIT } from "../../statistics/index.ts";
import { trimmed } from "../../statistics/numbers.ts";
import type { TuneReport, TuneRun } from "../../study/index.ts";
import { textTable } from "../../terminal/text-table.ts";

type Place = Pick<TuneRun, "plw" | "learningRate" | "other">;

function placeText({ plw, learningRate, other }: Place): string {
  return [
    `PLW ${trimmed(plw)}`,
    `learning rate ${trimmed(learningRate)}`,
    ...Object.entries(other ?? {}).map(([key, value]) => `${key} ${JSON.stringify(value)}`),
  ].join(", ");
}

export function proposalLine(
  run: Place & Pick<TuneRun, "seed" | "gain">,
  number: number,
  runs: number | undefined,
): string {
  const why = run.gain === undefined ? "design" : `expected gain ${trimmed(run.gain, 2)}`;
  return `run ${number}${runs === undefined ? "" : `/${runs}`}  ${placeText(run)}, seed ${run.seed}  (${why})`;
}

export function runLine({ value }: TuneRun): string {
  return `  ${trimmed(value, 5)}`;
}

export function reportLines(report: TuneReport): string[] {
  const { choice, objective, runs, stopped, within, oneMoreRun, noise, weights, test, isTold } = report;
  const { unit, task, metric } = objective;
  const amount = (value: number): string => `${trimmed(value, 2)} ${isTold ? unit : GAP_UNIT}`;
  const more =
    oneMoreRun === undefined
      ? "not known"
      : `${placeText(oneMoreRun)}, expected to gain ${amount(oneMoreRun.gain)}`;
  return [
    "",
    `Choice              ${placeText(choice)}`,
    `Expected regret     ${amount(choice.expectedRegret)}, against the best of all that was searched`,
    `Best with           ${trimmed(100 * choice.probabilityBest, 2)} %`,
    `Alike               ${within.weights.map((plw) => trimmed(plw)).join(", ")} (at most ${amount(within.tolerance)} worse on average)`,
    `One more run        ${more}`,
    ...(isTold
      ? []
      : [
          "The runs            all have one score: nothing here tells them apart, and the choice is the prior's",
        ]),
    `Rests on            ${counted(runs.length, "run")} by ${task} ${metric} on validation rows, a prior from the paper's facts; ${stopped}`,
    ...(noise === undefined ? [] : [`Noise of a run      ${amount(noise)}`]),
    "",
    ...textTable(
      [
        ["PLW", "expected regret", "probability of being best"],
        ...weights.map(({ plw, expectedRegret, probabilityBest }) => [
          `${trimmed(plw)}${plw === choice.plw ? " *" : ""}`,
          trimmed(expectedRegret, 2),
          `${trimmed(100 * probabilityBest, 2)} %`,
        ]),
      ],
      ["left", "right", "right"],
    ),
    "",
    `Test: ${test.task} ${test.metric}, ${objective.higherIsBetter ? "higher" : "lower"} is better, seeds ${test.seeds.join(", ")} that the search did not use`,
    ...textTable(
      test.arms.map(({ name, mean, values, ...place }) => [
        `  ${name}`,
        placeText(place),
        trimmed(mean, 5),
        `(${values.map((value) => trimmed(value, 5)).join(", ")})`,
      ]),
      ["left", "left", "right", "left"],
    ),
    "  A choice and its scores, not a claim: few seeds do not tell small differences.",
  ];
}
