// What most programs begin with. All of a part is at its subpath, which is the folder's name: `promptloss/data`,
// `promptloss/training` …
export { createTemplate, type Example, loadExamples, loadTokenizer } from "./data/index.ts";
export { PromptlossError } from "./errors.ts";
export { compareEvaluations, evaluate, judgePairs } from "./evaluation/index.ts";
export { TextGenerator } from "./generation/index.ts";
export { inspectExamples } from "./inspect/index.ts";
export { invertExamples } from "./invert/index.ts";
export { loadModel, saveModel } from "./models/index.ts";
export { previewRow } from "./preview/index.ts";
export { checkRecipe, type Recipe, readRecipe } from "./recipe/index.ts";
export { writeStudyReport } from "./report/index.ts";
export { serveModel } from "./serve/index.ts";
export { fitMixedModel, quadraticEffect, recommend, wpOfPlw } from "./statistics/index.ts";
export { fitStudy, planStudy, readStudy, readStudyResults, runStudy } from "./study/index.ts";
export { prepareRun, runTraining, type TrainingEvent, train } from "./training/index.ts";
