// Models: Hugging Face folders in and out, the decoder, adapters.

export { HUB_CHANNEL, HubError, type HubErrorReason, type HubMessage } from "../hub/index.ts";
export { BlockWeight } from "./blocks/block-weight.ts";
export { ADAPTER_KINDS, type AdapterKind, type AdapterOptions } from "./config/adapters.ts";
export { type ModelConfig, parseModelConfig } from "./config/model-config.ts";
export { readModelConfig } from "./config/read-config.ts";
export { STORAGES, type Storage } from "./config/storage.ts";
export { freeHeld, type HeldPrefix, KeyValueCache } from "./decoder/cache.ts";
export { changesRope, type PackedSequences, packSequences } from "./decoder/input.ts";
export { CausalLanguageModel, type ForwardOptions } from "./decoder/model.ts";
export { type DeviceStrategy, strategyOf } from "./device-strategy.ts";
export { ModelConfigError, ModelError, ModelInputError, ModelWeightsError } from "./errors.ts";
export type { Companions } from "./folder/companions.ts";
export { type CreateModelOptions, createModel } from "./folder/create-model.ts";
export { hasBlocks, type LoadModelOptions, loadModel } from "./folder/load-model.ts";
export { type SaveModelOptions, saveModel } from "./folder/save-model.ts";
export { freezeParameters } from "./freeze.ts";
export { type ExportedGguf, type ExportGgufOptions, exportGguf } from "./gguf/export/export.ts";
export { EXPORT_TYPES, type ExportType } from "./gguf/export/types.ts";
export { GgufError } from "./gguf/format/errors.ts";
export {
  type ImportedGguf,
  type ImportGgufOptions,
  importGguf,
} from "./gguf/import.ts";
export { GGUF_CHANNEL, type GgufMessage, isGguf, modelFolder, modelPlace } from "./gguf/model-folder.ts";
export { storedName } from "./gguf/stored-tensor.ts";
export { LateNumbers } from "./late-numbers.ts";
export { type BytesOrPath, type ImportLlama2cOptions, importLlama2c } from "./llama2c/import.ts";
export { Adapter, createAdapter, type LoraOptions } from "./lora/adapter.ts";
export { type ExportAdapterOptions, exportAdapterGguf } from "./lora/export-gguf.ts";
export { type MergedFolder, type MergeFolders, mergeAdapterFolder } from "./lora/merge-folder.ts";
export {
  adapterStorage,
  loadAdapter,
  mergeAdapter,
  type SaveAdapterOptions,
  saveAdapter,
} from "./lora/peft.ts";
export {
  type MeasuredPack,
  measuredPack,
  type PackLoss,
  type PackLossFunction,
  type PackLossOptions,
  packLoss,
  placeScores,
} from "./loss/pack-loss.ts";
export { type PartTotals, partTotals, summingDtype } from "./loss/part-totals.ts";
export { type RowLoss, rowLosses } from "./loss/row-losses.ts";
