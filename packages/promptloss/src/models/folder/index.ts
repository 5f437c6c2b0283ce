// Hugging Face's model folders, in and out.
export type { Companions } from "./companions.ts";
export { type CreateModelOptions, createModel } from "./create-model.ts";
export { type LoadModelOptions, loadModel } from "./load-model.ts";
export { type SaveModelOptions, saveModel } from "./save-model.ts";
