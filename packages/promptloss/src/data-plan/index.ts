// The data of a run: a plan, and the rows that come of it.
export { type DataPlan, dataPlanOf, type HeldOutPlan } from "./data-plan.ts";
export { DataPlanError } from "./errors.ts";
export { dataInputs, recipeInputs } from "./inputs.ts";
export { type OpenData, type OpenDataOptions, openData } from "./open-data.ts";
export { type SettledData, settleData, type TextTools, textTools } from "./settle-data.ts";
