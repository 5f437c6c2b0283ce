// What a cell's data comes to, before anything is trained: rows, tokens, generation ratio; and what its run will take.
// Opens data as training does, with the same caches; loads no model.
import type { RowSet } from "../../data/row-subset.ts";
import { readExamples } from "../../data/rows/index.ts";
import { loadTokenizer, type Tokenizer } from "../../data/tokenizer/index.ts";
import { resolveWeightPolicy } from "../../data/tokens/index.ts";
import { type DataPlan, dataPlanOf, openData, textTools } from "../../data-plan/index.ts";
import { ratioOfData } from "../../inspect/data-ratio.ts";
import { readModelConfig } from "../../models/config/read-config.ts";
import { modelFolder } from "../../models/gguf/model-folder.ts";
import { adapterOf, type Recipe } from "../../recipe/index.ts";
import { BatchPlan } from "../../training/batches.ts";
import { checkMetric } from "../../training/check-metric.ts";
import { countParameters } from "../../training/parameter-count.ts";
import { batchSettings, lengthOf } from "../../training/run-length.ts";

export interface DataMeasure {
  /** Rows that are trained on. */
  readonly rows: number;
  readonly heldOutRows: number;
  readonly steps: number;
  /** Of the whole run. */
  readonly tokens: number;
  /** Rg of the data; undefined without prompts. */
  readonly generationRatio: number | undefined;
  /** What opening the data had to say: rows left out, cut, or in doubt. */
  readonly notes: readonly string[];
}

export interface ModelMeasure {
  readonly parameters: number;
  readonly trainable: number;
  /** Bytes of the model, or of the adapter, when the run is done. */
  readonly modelBytes: number;
  /** Bytes that the run's folder comes to while it trains: checkpoints, best weights, model. */
  readonly peakBytes: number;
  /** What reading the config had to say. */
  readonly notes: readonly string[];
}

/** Measures data of cells, each data set, tokenizer and template once. */
export class DataMeter {
  readonly #ratios = new Map<string, Promise<number | undefined>>();
  readonly #runs = new Map<string, Promise<DataMeasure>>();
  readonly #tokenizers = new Map<string, Promise<Tokenizer>>();
  readonly #cache: string | undefined;

  /** @param cache where token caches are kept; the user's cache folder when left out */
  constructor(cache?: string) {
    this.#cache = cache;
  }

  /**
   * Weights change nothing that is measured here but for which of them are 0: cells that differ in others alone are
   * measured once.
   * @throws {DataError}, {TokenRowError} and their kin for data that training would refuse, {TrainingError} for batches that
   * can't be made
   */
  measure(recipe: Recipe): Promise<DataMeasure> {
    const plan = dataPlanOf(recipe, "recipe");
    const key = JSON.stringify([
      { ...plan, weights: zeroWeights(plan) },
      recipe.evaluation?.metric,
      batchSettings(recipe),
      lengthOf(recipe.training),
    ]);
    return once(this.#runs, key, () => this.#measure(recipe, plan));
  }

  async #measure(recipe: Recipe, plan: DataPlan): Promise<DataMeasure> {
    const data = await openData(plan, {
      tokenizerOf: (folder) => this.#tokenizer(folder),
      ...(this.#cache !== undefined && { cache: this.#cache }),
    });
    try {
      const { evaluation } = recipe;
      if (evaluation !== undefined && data.heldOut !== undefined)
        checkMetric(evaluation.metric, data.heldOut);
      const batches = new BatchPlan(data.rows.lengths, batchSettings(recipe), lengthOf(recipe.training));
      return {
        rows: data.rows.length,
        heldOutRows: data.heldOut?.length ?? 0,
        steps: batches.steps,
        tokens: tokensOf(batches, data.rows),
        generationRatio: data.tokenizer && (await this.#ratioOf(plan)),
        notes: data.notes,
      };
    } finally {
      data.close();
    }
  }

  /** Rg of a recipe's training data; undefined where it has no prompts. */
  generationRatio(recipe: Recipe): Promise<number | undefined> {
    return this.#ratioOf(dataPlanOf(recipe, "recipe"));
  }

  #ratioOf(plan: DataPlan): Promise<number | undefined> {
    const { sources, read, tokenizer: folder } = plan;
    return once(this.#ratios, JSON.stringify([sources, read, folder]), async () => {
      const text = await textTools(plan, { tokenizerOf: (path) => this.#tokenizer(path) });
      if (text === undefined) return undefined;
      const { tokenizer } = text;
      const { generationRatio } = await ratioOfData(readExamples(sources, read), { tokenizer });
      const ratio = generationRatio.ratioOfMeans;
      return ratio === undefined || ratio === 0 ? undefined : ratio;
    });
  }

  #tokenizer(folder: string): Promise<Tokenizer> {
    return once(this.#tokenizers, folder, () => loadTokenizer(folder));
  }
}

/** Which classes weigh 0, and so train no row. The kernel's weights are float32. */
function zeroWeights({ weights }: DataPlan): unknown {
  const { promptLossWeight, ...rest } = weights;
  if (promptLossWeight === "auto") return weights;
  const { classWeights } = resolveWeightPolicy({ ...rest, promptLossWeight });
  return classWeights.map((weight) => Math.fround(weight) === 0);
}

function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

function tokensOf(batches: BatchPlan, { lengths }: RowSet): number {
  let tokens = 0;
  for (const { rows } of batches.from(0)) for (const row of rows) tokens += lengths[row]!;
  return tokens;
}

const FLOAT32 = 4;
/** Weights, and AdamW's two moments. */
const CHECKPOINT_TENSORS = 3;

/**
 * From a model folder's config.
 * @throws {ModelError} where there is no such folder here; {ModelConfigError} for a config that is not supported
 */
export function measureModel(recipe: Recipe): ModelMeasure {
  const { checkpoints, evaluation } = recipe;
  const trained = adapterOf(recipe);
  const { architecture, json, notes } = readModelConfig(modelFolder(recipe.model!, "tokenizer"), recipe);
  const { model, adapter, trainable } = countParameters(architecture, recipe);
  const named = json.dtype ?? json.torch_dtype;
  const stored = named === "bfloat16" || named === "float16" ? 2 : FLOAT32;
  const modelBytes = trained === undefined || trained.merge ? model * stored : adapter * FLOAT32;
  const kept = checkpoints.every === "never" ? 1 : checkpoints.keep + 1;
  const best = evaluation?.keepBest ? trainable * FLOAT32 : 0;
  const peakBytes = kept * CHECKPOINT_TENSORS * trainable * FLOAT32 + best + modelBytes;
  return { parameters: model + adapter, trainable, modelBytes, peakBytes, notes };
}
