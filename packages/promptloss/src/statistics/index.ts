// The statistics' public face: models, comparisons, the effect of w_p, response surfaces, recommendations.
export {
  type Choice,
  choose,
  designPoints,
  flatPrior,
  floored,
  type KnownNoise,
  type NormalizationName,
  type Observation,
  type Outlook,
  type Point,
  type Posterior,
  type PosteriorOptions,
  type Prior,
  type PriorPart,
  type PriorQuestion,
  type Proposal,
  type ProposeOptions,
  plwOfShare,
  pointsOver,
  posterior,
  priorFor,
  promptShare,
  propose,
  type SearchSpace,
  spacePoints,
  type TaskGroup,
  taskGroups,
} from "./choice/index.ts";
export { type Cell, nearestHint, type Row } from "./design/table.ts";
export { type CurveOptions, type CurvePoint, effectCurve } from "./effect/curve.ts";
export { plwOfWp, wpOfPlw } from "./effect/plw.ts";
export {
  type EffectKind,
  type Interval,
  type QuadraticEffect,
  type QuadraticEffectOptions,
  quadraticEffect,
} from "./effect/quadratic-effect.ts";
export * from "./errors.ts";
export type { FamilyName } from "./family/family.ts";
export { familyNames } from "./family/index.ts";
export type { VarianceComponent } from "./mixed/blocks.ts";
export { type Bootstrap, type BootstrapOptions, bootstrap } from "./mixed/bootstrap.ts";
export { type CoefficientTest, type CoefficientTests, coefficientTests } from "./mixed/coefficient-tests.ts";
export {
  type ComparisonRow,
  compareModels,
  type LikelihoodRatioTest,
  likelihoodRatioTest,
} from "./mixed/compare.ts";
export type { Diagnostic, DiagnosticCode } from "./mixed/diagnostics.ts";
export type { Coefficient, ConditionalModes, MixedModelFit } from "./mixed/fit.ts";
export { type KenwardRoger, kenwardRoger } from "./mixed/kenward-roger.ts";
export { fitMixedModel, type MixedModelOptions } from "./mixed/model.ts";
export { type Prediction, type PredictOptions, predict } from "./mixed/predict.ts";
export { type FTest, type Satterthwaite, satterthwaite } from "./mixed/satterthwaite.ts";
export { type RandomSource, randomSource } from "./random.ts";
export { type Fact, GROUNDS, type Mark } from "./recommend/paper-facts.ts";
export {
  candidateWeights,
  GAP_UNIT,
  type OwnRun,
  ownRun,
  type Recommendation,
  type RecommendOptions,
  recommend,
  type StudyEvidence,
  type WeightOutlook,
} from "./recommend/recommend.ts";
export { renderRecommendation } from "./recommend/render.ts";
export { fitToJson, type Json, surfaceToJson, toJson } from "./report/json.ts";
export { renderComparison, renderSummary } from "./report/summary.ts";
export { FEWEST_DF } from "./rules.ts";
export { pairedErrors } from "./scores/paired-errors.ts";
export {
  type AppliedTransform,
  type ScoreTransform,
  type ScoreTransformName,
  slopeOf,
  toUnitInterval,
  type UnitScores,
} from "./scores/unit-interval.ts";
export { zScores } from "./scores/z-scores.ts";
export { studentTwoSided } from "./special.ts";
export { type BestOptions, type BestPlw, bestPlwAt, type SurfacePoint, surfaceAt } from "./surface/best.ts";
export { fitSurface, type ResponseSurface, type SurfaceOptions } from "./surface/surface.ts";
export * from "./weights/index.ts";
