// PLW × another factor of a study, for all tasks together: a test that the levels differ, each level's own finding, and
// the pair of weight and level with the highest mean. Pure.
import {
  analyzeWeights,
  FEWEST_DF,
  type Interaction,
  interaction,
  StatisticsError,
  type WeightAnalysis,
} from "../../statistics/index.ts";
import type { UsableRow } from "./scored-rows.ts";
import { weightRow } from "./scored-rows.ts";

export interface FactorLevels {
  readonly factor: string;
  /** Undefined where too few cells tell the levels apart. */
  readonly test: Interaction | undefined;
  readonly levels: readonly { readonly level: string; readonly analysis: WeightAnalysis | undefined }[];
  readonly problem: string | undefined;
}

/** Factors that only repeat a cell. */
const REPLICATES: ReadonlySet<string> = new Set(["plw", "seed"]);

/** Of each factor that has several levels among these rows, each of which has several weights. */
export function factorLevels(rows: readonly UsableRow[], level: number): FactorLevels[] {
  const factors = [...new Set(rows.flatMap(({ result }) => Object.keys(result.factors)))];
  return factors
    .filter((factor) => !REPLICATES.has(factor))
    .flatMap((factor) => {
      const labels = [...new Set(rows.map((row) => labelOf(row, factor)))];
      const own = (label: string): UsableRow[] => rows.filter((row) => labelOf(row, factor) === label);
      const weights = (label: string): number => new Set(own(label).map(({ result }) => result.plw)).size;
      if (labels.length < 2 || labels.some((label) => weights(label) < 2)) return [];
      return [
        {
          factor,
          ...testOf(rows, factor),
          levels: labels.map((label) => ({ level: label, analysis: analysisOf(own(label), level) })),
        },
      ];
    });
}

function labelOf({ result }: UsableRow, factor: string): string {
  return String(result.factors[factor] ?? "–");
}

function testOf(rows: readonly UsableRow[], factor: string): Pick<FactorLevels, "test" | "problem"> {
  try {
    const test = interaction(rows.map((row) => ({ ...weightRow(row), level: labelOf(row, factor) })));
    if (test.df[1] < FEWEST_DF)
      return {
        test: undefined,
        problem: `${test.df[1]} residual degrees of freedom, and a verdict needs ${FEWEST_DF}`,
      };
    return { test, problem: undefined };
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    return { test: undefined, problem: error.message };
  }
}

function analysisOf(rows: readonly UsableRow[], level: number): WeightAnalysis | undefined {
  try {
    return analyzeWeights(rows.map(weightRow), level);
  } catch (error) {
    if (!(error instanceof StatisticsError)) throw error;
    return undefined;
  }
}

/** Whether the relation differs by the factor, and the pair with the highest mean, which is no claim. */
export function interactionSentence(
  factor: string,
  test: (Interaction & { readonly correctedP: number }) | undefined,
  problem: string | undefined,
): string {
  if (test === undefined) return `PLW × ${factor}: no verdict (${problem})`;
  const { f, df, correctedP, pairs } = test;
  const [best] = pairs as [Interaction["pairs"][number]];
  const short = (x: number): string => String(Number(x.toPrecision(3)));
  return (
    `PLW × ${factor}: F(${df[0]}, ${df[1]}) = ${short(f)}, p = ${short(correctedP)}, corrected; about these tasks. ` +
    `The highest mean is that of PLW ${short(best.plw)} with ${factor} ${best.level}, a description and no claim`
  );
}
