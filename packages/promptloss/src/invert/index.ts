// Prompt inversion: short-completion data from long-completion data.
export {
  type Inverted,
  type InvertOptions,
  type InvertReport,
  invertExamples,
  type SideMeans,
} from "./invert.ts";
export {
  type AlpacaRow,
  DEFAULT_WORDING,
  INVERTED_INSTRUCTION,
  invertRow,
  type Wording,
} from "./invert-rows.ts";
export { TARGET_WAYS, type TargetWay } from "./target-ways.ts";
