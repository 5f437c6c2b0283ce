// What a study can show, as lines of its plan.
import { trimmed } from "../../statistics/numbers.ts";
import { FEWEST_DF } from "../../statistics/rules.ts";
import type { StudyPower, TaskPower } from "../../study/plan/study-power.ts";

/** Name and text of each line. */
export function powerLines({
  factor,
  levels,
  cellsPerLevel,
  residualDf,
  verdictDf,
  verdict,
  tasks,
  unknown,
}: StudyPower): [string, string][] {
  if (levels < 2) return [];
  const cells = trimmed(cellsPerLevel);
  const design = `${levels} levels of ${factor} with ${cells} ${cells === "1" ? "cell" : "cells"} each, ${trimmed(residualDf)} residual degrees of freedom in the t-tests below, ${trimmed(verdictDf)} for a verdict`;
  return [
    ["power", verdict ? design : `${design}: too few, it needs ${FEWEST_DF}; add seeds or weights`],
    ...tasks.flatMap((task): [string, string][] => [
      ["", shows(task)],
      ["", takes(task)],
      ["", `noise by ${task.noiseFrom}`],
    ]),
    ...unknown.map(({ task, metric }): [string, string] => [
      "",
      `${task} ${metric}: unknown; --pilot FOLDER takes its noise from an earlier study's results`,
    ]),
  ];
}

function shows({ task, metric, unit, detectable: { pair, bothEnds }, items }: TaskPower): string {
  const of = items === undefined ? "" : ` on ${items} items`;
  const name = `${task} ${metric}${of}`;
  if (pair === undefined || bothEnds === undefined) return `${name}: no difference, without replicates`;
  return `${name}: 80 % power for ${amount(pair, unit)} between two levels, ${amount(bothEnds, unit)} for a level against both ends`;
}

function takes({ targets, unit, items }: TaskPower): string {
  return targets
    .map(({ difference, seeds, items: needed }) => {
      const ways = [
        seeds === undefined ? "more than 1,000 seeds" : `${seeds} ${seeds === 1 ? "seed" : "seeds"}`,
        ...(needed === undefined || items === undefined || needed <= items ? [] : [`${needed} items`]),
      ];
      return `for ${amount(difference, unit)}: ${ways.join(" or ")}`;
    })
    .join("; ");
}

function amount(value: number, unit: string): string {
  return `${trimmed(value, 2)} ${unit}`;
}
