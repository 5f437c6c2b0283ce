// The loss: normalizations, sums by side and part, and the float64 reference. What a model makes of a pack is in models.
export { LossError } from "./errors.ts";
export {
  isHigherBetter,
  LOSS_METRICS,
  type LossMetric,
  type MeasuredLosses,
  metricValue,
} from "./metrics.ts";
export {
  addLossTotals,
  type LossFactors,
  type LossTotals,
  lossFactors,
  lossTotals,
  NORMALIZATIONS,
  type Normalization,
  type NormalizationSettings,
  normalizationOf,
  numbersOfTotals,
  type OwnDenominator,
  totalsOfNumbers,
} from "./normalization.ts";
export {
  addPartSums,
  emptyPartSums,
  MEASURED,
  type Measured,
  type PartMeans,
  type PartSum,
  type PartSums,
  partMeans,
  totalSums,
} from "./part-sums.ts";
export { type RowLosses, referenceLoss } from "./reference.ts";
export {
  type BatchReweighting,
  isOfBatch,
  type Reweighting,
  type ReweightingContext,
  reweightingOf,
} from "./reweighting.ts";
export {
  type FactorRule,
  needsReference,
  type PlaceStatistic,
  REWEIGHTING_NAMES,
  REWEIGHTING_RULES,
  type ReweightingName,
  type ReweightingOptions,
  type ReweightingRule,
  type ReweightingSettings,
  reweightingRule,
  type SelectionRule,
  settledOptions,
} from "./reweighting-rules.ts";
export { classShares, measuredShares, partShares } from "./shares.ts";
