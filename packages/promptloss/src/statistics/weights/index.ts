// Statements on prompt loss weights from a study's scores: tests with the right degrees of freedom, shapes, intervals.
export {
  type About,
  analyzeWeights,
  type PairedDifference,
  type RelationTest,
  TASKS_IN_GENERAL,
  type TermTest,
  type WeightAnalysis,
} from "./analysis.ts";
export { type CorrectedStages, correctedTests, type StatementTests } from "./correction.ts";
export { type CorrectedAnalysis, findingOf, stagesOf } from "./finding.ts";
export { type Interaction, type InteractionRow, interaction, type PairMean } from "./interaction.ts";
export { renderFinding } from "./render.ts";
export type { WeightRow } from "./score-table.ts";
export type { Shape, WeightEvidence, WeightFinding } from "./weight-finding.ts";
