// The best weight as a choice under uncertainty: prior, posterior, regret. Pure.
export {
  type Choice,
  type ChooseOptions,
  choose,
  type MoreRuns,
  type Outlook,
  pointsOver,
} from "./choose.ts";
export { floored, type KnownNoise, type Observation, type Point } from "./observations.ts";
export { defaultDraws, type Posterior, type PosteriorOptions, posterior } from "./posterior.ts";
export {
  flatPrior,
  type Prior,
  type PriorPart,
  type PriorQuestion,
  priorChoices,
  priorFor,
} from "./prior.ts";
export {
  type NormalizationName,
  normalizationNames,
  plwOfShare,
  promptShare,
  sharesDifferently,
} from "./prompt-share.ts";
export {
  designPoints,
  type Proposal,
  type ProposeOptions,
  propose,
  type SearchSpace,
  spacePoints,
} from "./propose.ts";
export { type TaskGroup, taskGroups } from "./task-groups.ts";
