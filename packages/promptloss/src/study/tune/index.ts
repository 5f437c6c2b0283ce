// A search of few runs over the weight and the learning rate, through a study's cells.
export type { TuneOptions } from "./cells.ts";
export type { TuneEvent, TuneReport, TuneRun } from "./report.ts";
export type { TuneSettings } from "./settings.ts";
export { tune } from "./tune.ts";
