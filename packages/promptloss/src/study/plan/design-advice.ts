// What a study's design cannot answer, told before anything runs: from its factors and tasks alone. How large a difference
// it can show is a question of power, which is told apart from this. Pure.
import { counted } from "../../counted.ts";
import { FEWEST_DF } from "../../statistics/rules.ts";
import { verdictDf } from "./power.ts";
import type { Study } from "./read-study.ts";

/** Weights from which a curve with a top can be told from a straight line. */
const LEAST_FOR_CURVE = 4;

/** One line for each thing that the design cannot tell; none where there is nothing to say. */
export function designAdvice({
  factors,
  cells,
  tasks,
}: Pick<Study, "factors" | "cells" | "tasks">): string[] {
  const advice: string[] = [];
  const weights = factors.find(({ name }) => name === "plw")?.labels.length ?? 1;
  if (weights === 1)
    advice.push(
      "one prompt loss weight: the study compares no weights (factors: { plw: [0, 0.1, 1] } would)",
    );
  else if (weights < LEAST_FOR_CURVE)
    advice.push(
      `${weights} prompt loss weights: they can be compared with each other, but no curve with a best weight inside can be told from a line; ${LEAST_FOR_CURVE} or more could`,
    );
  const seeds = factors.find(({ name }) => name === "seed")?.labels.length ?? 1;
  if (seeds === 1)
    advice.push(
      "one seed: runs of the same settings differ by chance, and without a second seed nothing tells how much; add seed: [1, 2, 3] to the factors",
    );
  const residual = Math.floor(verdictDf({ levels: weights, perLevel: cells.length / weights }));
  if (weights > 1 && residual < FEWEST_DF)
    advice.push(
      `${counted(cells.length, "cell")} leave ${counted(residual, "degree")} of freedom for the noise, and no verdict is given below ${FEWEST_DF}; add seeds or weights`,
    );
  if (tasks.length === 1)
    advice.push(
      `one task, ${tasks[0]!.task}: what holds there need not hold elsewhere, and if the models answer it no better than chance the study shows nothing`,
    );
  return advice;
}
