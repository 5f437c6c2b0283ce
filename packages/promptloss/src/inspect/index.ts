// Inspection: what a data set is like, and which prompt loss weight it asks for.
export { type DataRatio, type DataRatioOptions, ratioOfData } from "./data-ratio.ts";
export { automaticWeight } from "./data-recommendation.ts";
export type { Distribution, Histogram } from "./distribution.ts";
export type { Duplicates } from "./duplicates.ts";
export type { GenerationRatio } from "./generation-ratio.ts";
export { type Inspection, type InspectOptions, inspectExamples } from "./inspection.ts";
export { renderInspection } from "./render.ts";
