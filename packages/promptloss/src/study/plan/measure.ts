// What a cell's data comes to, before anything is trained: rows, tokens, generation ratio; and what its run will take.
// Reads and tokenises data as training does, with the same caches; loads no model.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadRows } from "../../data/load-rows.ts";
import { holdOut, type RowSet } from "../../data/row-subset.ts";
import { type DataSource, readExamples } from "../../data/rows/index.ts";
import { createTemplate } from "../../data/templates/index.ts";
import { loadTokenizer, type Tokenizer } from "../../data/tokenizer/index.ts";
import { WeightedRows } from "../../data/tokens/index.ts";
import { recommendForData } from "../../inspect/index.ts";
import { parseModelConfig } from "../../models/config/model-config.ts";
import { linearModules, parameterShapes } from "../../models/decoder/parameters.ts";
import { settingsOf } from "../../preview/plan.ts";
import type { Recipe } from "../../recipe/index.ts";
import { BatchPlan } from "../../training/batches.ts";
import { batchSettings, heldOutCount, lengthOf } from "../../training/run-length.ts";
import { StudyError } from "../errors.ts";

export interface DataMeasure {
  /** Rows that are trained on. */
  readonly rows: number;
  readonly heldOutRows: number;
  readonly steps: number;
  /** Of the whole run. */
  readonly tokens: number;
  /** Rg of the data; undefined without prompts. */
  readonly generationRatio: number | undefined;
}

export interface ModelMeasure {
  readonly parameters: number;
  readonly trainable: number;
  /** Bytes of the model, or of the adapter, when the run is done. */
  readonly modelBytes: number;
  /** Bytes that the run's folder comes to while it trains: checkpoints, best weights, model. */
  readonly peakBytes: number;
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
   * Weights change nothing that is measured here: cells that differ in them alone are measured once.
   * @throws DataError and its kin for data that can't be used, TrainingError for batches that can't be made
   */
  measure(recipe: Recipe): Promise<DataMeasure> {
    const { data, template, turns, maxLength, overflow, seed, training, evaluation } = recipe;
    const { epochs, steps, batchSize, batchTokens, order } = training;
    const { rewrittenHistory = null, templateVariables = null } = recipe;
    const { onBadRow, emptyCompletions, maxRowBytes = null } = recipe;
    const reading = [recipe.tokenizer ?? recipe.model, onBadRow, emptyCompletions, maxRowBytes];
    const rendering = [template, rewrittenHistory, templateVariables, turns];
    const batching = [epochs, steps, batchSize, batchTokens, order, seed];
    const key = JSON.stringify([data, rendering, maxLength, overflow, evaluation, reading, batching]);
    return once(this.#runs, key, () => this.#measure(recipe));
  }

  /** Rg of a recipe's training data; undefined where it has no prompts. */
  generationRatio(recipe: Recipe): Promise<number | undefined> {
    const { sources, read, tokenizer: folder } = settingsOf(recipe, "recipe");
    return once(this.#ratios, JSON.stringify([sources, read, folder]), async () => {
      const tokenizer = await this.#tokenizer(folder);
      const { generationRatio } = await recommendForData(readExamples(sources, read), { tokenizer });
      const ratio = generationRatio.ratioOfMeans;
      return ratio === undefined || ratio === 0 ? undefined : ratio;
    });
  }

  #tokenizer(folder: string): Promise<Tokenizer> {
    return once(this.#tokenizers, folder, () => loadTokenizer(folder));
  }

  async #measure(recipe: Recipe): Promise<DataMeasure> {
    const settings = settingsOf(recipe, "recipe");
    const { sources, read, turns } = settings;
    const tokenizer = await this.#tokenizer(settings.tokenizer);
    const template = createTemplate(settings.template, tokenizer, settings.templateOptions);
    const loading = {
      tokenizer,
      template,
      turns,
      read,
      ...(this.#cache !== undefined && { cache: this.#cache }),
    };
    const cache = await loadRows(sources, loading);
    try {
      const all = new WeightedRows(cache, {
        weights: { promptLossWeight: 1 },
        overflow: {
          maxLength: recipe.maxLength ?? Number.MAX_SAFE_INTEGER,
          policy: recipe.overflow ?? "error",
          bosId: tokenizer.bosId,
        },
        onBadRow: recipe.onBadRow,
      });
      const { evaluation, seed } = recipe;
      let [rows, heldOutRows]: [RowSet, number] = [all, 0];
      if (evaluation?.data !== undefined) heldOutRows = await countRows(evaluation.data, loading);
      else if (evaluation !== undefined) {
        heldOutRows = heldOutCount(evaluation, all.length);
        rows = holdOut(all, heldOutRows, seed).kept;
      }
      const batches = new BatchPlan(rows.lengths, batchSettings(recipe), lengthOf(recipe.training));
      const generationRatio = await this.generationRatio(recipe);
      return {
        rows: rows.length,
        heldOutRows,
        steps: batches.steps,
        tokens: tokensOf(batches, rows),
        generationRatio,
      };
    } finally {
      cache.close();
    }
  }
}

const once = <T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> => {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
};

const countRows = async (
  data: NonNullable<NonNullable<Recipe["evaluation"]>["data"]>,
  loading: Parameters<typeof loadRows>[1],
): Promise<number> => {
  const cache = await loadRows(data as readonly DataSource[], loading);
  try {
    return cache.length;
  } finally {
    cache.close();
  }
};

const tokensOf = (batches: BatchPlan, { lengths }: RowSet): number => {
  let tokens = 0;
  for (const { rows } of batches.from(0)) for (const row of rows) tokens += lengths[row]!;
  return tokens;
};

const FLOAT32 = 4;
/** Weights, and AdamW's two moments. */
const CHECKPOINT_TENSORS = 3;

/**
 * From a model folder's config.
 * @throws StudyError where there is no such folder here; ModelConfigError for a config that is not supported
 */
export const measureModel = ({ model, lora, checkpoints, evaluation }: Recipe): ModelMeasure => {
  const path = join(model!, "config.json");
  if (!existsSync(path)) {
    const fetch = /^[\w.-]+\/[\w.-]+$/.test(model!) && !model!.startsWith(".");
    const how = fetch ? `; one of the hub comes with: hf download ${model} --local-dir ${model}` : "";
    throw new StudyError(`${model}: there is no such model folder here${how}`);
  }
  const text = readFileSync(path, "utf8");
  const { architecture, json } = parseModelConfig(JSON.parse(text), { path, text });
  const parameters = [...parameterShapes(architecture).values()].reduce(
    (sum, shape) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  const adapter =
    lora === undefined
      ? 0
      : linearModules(architecture)
          .filter(({ module }) => lora.targets?.some((name) => module.endsWith(name)) ?? true)
          .reduce((sum, { inputs, outputs }) => sum + lora.rank * (inputs + outputs), 0);
  const trainable = lora === undefined ? parameters : adapter;
  const named = json.dtype ?? json.torch_dtype;
  const stored = named === "bfloat16" || named === "float16" ? 2 : FLOAT32;
  const modelBytes = lora === undefined || lora.merge ? parameters * stored : adapter * FLOAT32;
  const kept = checkpoints.every === "never" ? 1 : checkpoints.keep + 1;
  const best = evaluation?.keepBest ? trainable * FLOAT32 : 0;
  const peakBytes = kept * CHECKPOINT_TENSORS * trainable * FLOAT32 + best + modelBytes;
  return { parameters, trainable, modelBytes, peakBytes };
};
