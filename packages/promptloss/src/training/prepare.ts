// A recipe → a run made ready: data read and weighed, model loaded, every setting settled and checked.
import { setNumThreads } from "@promptloss/torch";
import type { HubOptions } from "../data/rows/index.ts";
import type { WeightPolicy } from "../data/tokens/index.ts";
import { type DataPlan, dataPlanOf, type OpenData, openData, recipeInputs } from "../data-plan/index.ts";
import { checkOutputFolder, protectInputs } from "../files/output.ts";
import { readModelConfig } from "../models/config/read-config.ts";
import { folderIdentity } from "../models/folder/identity.ts";
import { modelFolder } from "../models/gguf/model-folder.ts";
import { type Recipe, RecipeError, reweightingSettings } from "../recipe/index.ts";
import { BatchPlan } from "./batches.ts";
import { checkMetric } from "./check-metric.ts";
import { deviceOf } from "./device.ts";
import { TrainingError } from "./errors.ts";
import type { ProgressEvent } from "./events/event.ts";
import { sparing } from "./events/progress.ts";
import { hashOfRows, hashOfRun } from "./fingerprint.ts";
import { prepareModel } from "./model.ts";
import { computeDtype, precisionNote } from "./precision.ts";
import type { ForgettingInputs } from "./probes/forgetting.ts";
import type { Ranks } from "./ranks/index.ts";
import { type ReferenceSettings, referencedRows, referenceStatistic } from "./reference/index.ts";
import type { RunSettings, TrainingRun } from "./run.ts";
import { placesOf } from "./run-folder.ts";
import { batchSettings, lengthOf } from "./run-length.ts";
import { runSettings } from "./settings.ts";

export interface PrepareOptions {
  /** The recipe's file, for errors. */
  readonly file?: string;
  /** Where token caches are kept; the user's cache folder when left out. */
  readonly tokenCache?: string;
  /** Where the numbers of reference models are kept; the user's cache folder when left out. */
  readonly referenceCache?: string;
  /** Where data of the Hugging Face hub comes from, and who watches it come. */
  readonly hub?: HubOptions;
  /** Called now and then while rows are tokenized and the model is loaded. */
  readonly onProgress?: (event: ProgressEvent) => void;
  /** The processes that train together; one where left out. */
  readonly ranks?: Ranks;
  /** Changes the weights that the recipe gives; the same function again is needed to go on with a run. */
  readonly tokenWeight?: WeightPolicy["tokenWeight"];
}

/**
 * Reads data and model.
 * @throws {RecipeError} for keys that a run needs and that are missing
 * @throws {OutputError} for an output that can't be written, or that would overwrite what the run reads
 * @throws {DataError}, {ModelError}, {TrainingError} and their kin for what can't be used
 * @example
 * ```ts
 * import { prepareRun, readRecipe } from "promptloss";
 *
 * const run = await prepareRun(readRecipe("recipe.yaml", { set: ["output=prepared"] }));
 * console.log(`${run.rows.length} rows, ${run.batches.steps} steps`);
 * run.free();
 * ```
 */
export async function prepareRun(named: Recipe, options: PrepareOptions = {}): Promise<TrainingRun> {
  const { file = "recipe" } = options;
  const recipe = onThisMachine(named);
  const { model: folder, output } = required(recipe, file);
  checkOutputFolder(output);
  protectInputs(placesOf(output), await recipeInputs(recipe, options.file));
  if (recipe.training.threads !== undefined) setNumThreads(recipe.training.threads);
  const device = deviceOf(recipe.training.device, options.ranks?.group.placement);
  // Before the rows, which take their time.
  readModelConfig(folder, recipe);
  const own = dataPlanOf(recipe, file);
  const plan = { ...own, read: { ...own.read, ...(options.hub && { hub: options.hub }) } };
  const progress = sparing(options.onProgress ?? (() => {}));
  const data = await openData(plan, {
    ...(options.tokenCache !== undefined && { cache: options.tokenCache }),
    onRow: (done, share) => progress({ type: "progress", phase: "tokenizing", done, share }),
    onWeigh: () => progress({ type: "progress", phase: "weighing", done: 0 }),
    ...(options.tokenWeight !== undefined && { tokenWeight: options.tokenWeight }),
  });
  let forgetting: ForgettingInputs | undefined;
  try {
    const referenced = withReference(data, recipe, folder, device, {
      ...(options.referenceCache !== undefined && { cache: options.referenceCache }),
      onRows: (done, total) => progress({ type: "progress", phase: "reference", done, total }),
    });
    forgetting = await forgettingOf(recipe, plan, data, options.tokenCache);
    progress({ type: "progress", phase: "loading", done: 0 });
    const run = runOver(referenced, recipe, folder, device, options.ranks);
    const notes = [...run.notes, ...(forgetting?.notes ?? [])];
    const free = (): void => {
      run.free();
      forgetting?.close();
    };
    return { ...run, notes, output, forgetting, free };
  } catch (error) {
    data.close();
    forgetting?.close();
    throw error;
  }
}

/** With the folders of models that are named as on the hub. @throws {HubError} for one that can't be had */
function onThisMachine(recipe: Recipe): Recipe {
  const { model, tokenizer, loss } = recipe;
  const { reference } = loss.reweightingOptions ?? {};
  return {
    ...recipe,
    ...(model !== undefined && { model: modelFolder(model) }),
    ...(tokenizer !== undefined && { tokenizer: modelFolder(tokenizer, "tokenizer") }),
    loss: {
      ...loss,
      ...(reference !== undefined && {
        reweightingOptions: { ...loss.reweightingOptions, reference: modelFolder(reference) },
      }),
    },
  };
}

/** Evaluation is loaded by those runs alone that ask for it. */
async function forgettingOf(
  { probes }: Recipe,
  plan: DataPlan,
  { tokenizer }: OpenData,
  cache: string | undefined,
): Promise<ForgettingInputs | undefined> {
  if (probes.forgetting === undefined) return undefined;
  const { openForgetting } = await import("./probes/forgetting.ts");
  return await openForgetting(probes.forgetting, plan, {
    ...(cache !== undefined && { cache }),
    hasTokenizer: tokenizer !== undefined,
  });
}

/**
 * Data whose training rows carry what a reference model makes of them, where the loss looks at one. Before there is the
 * model that is trained, so that there is one of them at a time.
 * @throws {TrainingError} for a reference model that cannot compute the rows
 */
function withReference(
  data: OpenData,
  recipe: Recipe,
  model: string,
  device: string,
  { cache, onRows }: Pick<ReferenceSettings, "cache" | "onRows">,
): OpenData & { readonly referenceHash: string | undefined } {
  const reweighting = reweightingSettings(recipe.loss);
  const statistic = reweighting && referenceStatistic(reweighting);
  if (statistic === undefined) return { ...data, referenceHash: undefined };
  if (data.corrupt !== undefined)
    throw new TrainingError("loss.reweighting: a reference model's numbers are of rows as they are", {
      hint: "loss.promptObjective: denoise makes new ones in each epoch; take none or reconstruct",
    });
  const { rows, identity, notes } = referencedRows(data.rows, {
    folder: reweighting!.reference ?? model,
    statistic,
    compute: computeDtype(recipe.training.precision, device),
    device,
    ...(recipe.training.microBatchTokens !== undefined && { tokens: recipe.training.microBatchTokens }),
    ...(cache !== undefined && { cache }),
    ...(onRows && { onRows }),
  });
  return { ...data, rows, referenceHash: identity, notes: [...data.notes, ...notes] };
}

/** @throws {TrainingError}, {ModelError} where model, data and settings do not go together */
function runOver(
  {
    rows,
    heldOut,
    tokenizer,
    template,
    weights,
    corrupt,
    notes,
    close,
    referenceHash,
  }: OpenData & { readonly referenceHash: string | undefined },
  recipe: Recipe,
  folder: string,
  device: string,
  ranks: Ranks | undefined,
): Omit<TrainingRun, "output" | "forgetting"> {
  if (recipe.probes.generations !== undefined && tokenizer === undefined)
    throw new TrainingError(`probes.generations: ${folder} has no tokenizer to compare texts with`);
  const batches = new BatchPlan(rows.lengths, batchSettings(recipe), lengthOf(recipe.training));
  const { promptLossWeight } = weights;
  const settings = runSettings(recipe, batches, promptLossWeight, device);
  if (settings.evaluation && heldOut) checkMetric(settings.evaluation.metric, heldOut);
  const processes = ranks?.size ?? 1;
  const { model, shards } = prepareModel(recipe, folder, device, ranks);
  // Of all ranks the run is told by rank 0's device.
  const settled = settledRecipe(recipe, settings, promptLossWeight, deviceOf(recipe.training.device));
  const hashes = {
    dataHash: hashOfRows(rows, heldOut),
    modelHash: folderIdentity(folder, { weights: recipe.initialize === "pretrained" }),
    referenceHash,
  };
  return {
    recipe: settled,
    model,
    shards,
    tokenizer,
    template,
    rows,
    heldOut,
    corrupt,
    batches,
    promptLossWeight,
    settings,
    ...hashes,
    fingerprint: hashOfRun(settled, { ...hashes, processes }),
    processes,
    notes: [
      ...notes,
      ...model.notes,
      ...optional(precisionNote(settings.compute, device)),
      ...optional(reductionNote(settings.reduceOver, processes)),
      ...optional(shardingNote(recipe.training, processes)),
    ],
    free: () => {
      model.free();
      shards?.free();
      close();
    },
  };
}

/** What a user should know of the one reduction whose result depends on the number of processes. */
function reductionNote(reduceOver: RunSettings["reduceOver"], processes: number): string | undefined {
  if (reduceOver === "batch" || processes === 1) return undefined;
  return `loss.reduceOver micro-batch: each micro-batch is normalized by itself, and their mean is taken over all ${processes} processes; another number of processes forms other micro-batches and gives another result`;
}

function shardingNote(
  { sharding, processes: wanted = 1 }: Recipe["training"],
  processes: number,
): string | undefined {
  // A dry run prepares in one process what several will do.
  if (sharding === "none" || Math.max(processes, wanted) > 1) return undefined;
  return `training.sharding ${sharding}: this is one process, which has nothing to divide with others`;
}

function optional(note: string | undefined): string[] {
  return note === undefined ? [] : [note];
}

/** With every `auto` as what it came to here: a run of another precision or device is another run. */
function settledRecipe(
  recipe: Recipe,
  { compute }: RunSettings,
  promptLossWeight: number,
  device: string,
): Recipe {
  return {
    ...recipe,
    loss: { ...recipe.loss, promptLossWeight },
    training: { ...recipe.training, precision: compute === undefined ? "float32" : "bfloat16", device },
  };
}

function required(recipe: Recipe, file: string): { model: string; output: string } {
  const { model, output } = recipe;
  const missing = Object.entries({ model, output }).filter(([, value]) => value === undefined);
  if (missing.length > 0)
    throw new RecipeError(
      file,
      missing.map(([path]) => ({ path, message: "training needs it", line: undefined })),
    );
  return { model: model!, output: output! };
}
