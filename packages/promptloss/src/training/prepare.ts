// A recipe → a run made ready: data read and weighed, model loaded, every setting settled and checked.
import { availableDevices, setNumThreads } from "@promptloss/torch";
import { loadRows } from "../data/load-rows.ts";
import { holdOut, type RowSet } from "../data/row-subset.ts";
import { type HubOptions, readExamples } from "../data/rows/index.ts";
import { addCounts, countSkipped, skippedLine } from "../data/skipped-rows.ts";
import { createTemplate } from "../data/templates/index.ts";
import { loadTokenizer } from "../data/tokenizer/index.ts";
import { type TokenizationReport, WeightedRows, type WeightPolicy } from "../data/tokens/index.ts";
import { automaticWeight } from "../inspect/index.ts";
import { type PreviewSettings, settingsOf } from "../preview/plan.ts";
import { type Recipe, RecipeError } from "../recipe/index.ts";
import { BatchPlan } from "./batches.ts";
import { TrainingError } from "./errors.ts";
import { hashOfModel, hashOfRows, hashOfRun } from "./fingerprint.ts";
import { prepareModel } from "./model.ts";
import type { TrainingRun } from "./run.ts";
import { batchSettings, heldOutCount, lengthOf } from "./run-length.ts";
import { runSettings } from "./settings.ts";

export interface PrepareOptions {
  /** The recipe's file, for errors. */
  readonly file?: string;
  /** Where token caches are kept; the user's cache folder when left out. */
  readonly tokenCache?: string;
  /** Where data of the Hugging Face hub comes from, and who watches it come. */
  readonly hub?: HubOptions;
  /** Changes the weights that the recipe gives; the same function again is needed to go on with a run. */
  readonly tokenWeight?: WeightPolicy["tokenWeight"];
}

/**
 * Reads data and model.
 * @throws RecipeError for keys that a run needs and that are missing
 * @throws DataError, ModelError, TrainingError and their kin for what can't be used
 */
export const prepareRun = async (recipe: Recipe, options: PrepareOptions = {}): Promise<TrainingRun> => {
  const { file = "recipe" } = options;
  const { model: folder, output } = required(recipe, file);
  if (recipe.training.threads !== undefined) setNumThreads(recipe.training.threads);
  const device = deviceOf(recipe.training.device);
  const notes: string[] = [];
  const settled = settingsOf(recipe, file);
  const data = { ...settled, read: { ...settled.read, ...(options.hub && { hub: options.hub }) } };
  const tokenizer = await loadTokenizer(data.tokenizer);
  const template = createTemplate(data.template, tokenizer, data.templateOptions);
  const loading = {
    tokenizer,
    template,
    turns: data.turns,
    read: data.read,
    onNote: (note: string) => notes.push(note),
    ...(options.tokenCache !== undefined && { cache: options.tokenCache }),
  };
  const { tokenWeight } = options;
  const settledByRecipe = await settledWeights(data, loading, notes);
  const weights = { ...settledByRecipe, ...(tokenWeight !== undefined && { tokenWeight }) };
  const model = prepareModel(recipe, folder, device);
  const caches = [await loadRows(data.sources, loading)];
  const maxLength = recipe.maxLength ?? model.architecture.maxPositions;
  const weighed = (cache: (typeof caches)[0]): WeightedRows =>
    new WeightedRows(cache, {
      weights,
      overflow: { maxLength, policy: recipe.overflow ?? "error", bosId: tokenizer.bosId },
      onBadRow: recipe.onBadRow,
    });
  const all = weighed(caches[0]!);
  notes.push(...caches[0]!.report.warnings, ...all.report.warnings);
  notes.push(...overflowNotes(all), ...skippedNotes(caches[0]!.report, all));
  let [rows, heldOut]: [RowSet, RowSet | undefined] = [all, undefined];
  if (recipe.evaluation?.data !== undefined) {
    caches.push(await loadRows(recipe.evaluation.data as PreviewSettings["sources"], loading));
    heldOut = weighed(caches[1]!);
  } else if (recipe.evaluation !== undefined) {
    const parts = holdOut(all, heldOutCount(recipe.evaluation, all.length), recipe.seed);
    [rows, heldOut] = [parts.kept, parts.heldOut];
  }
  const batches = new BatchPlan(rows.lengths, batchSettings(recipe), lengthOf(recipe.training));
  const settings = runSettings(recipe, batches, weights.promptLossWeight, device);
  const hashes = { dataHash: hashOfRows(rows, heldOut), modelHash: hashOfModel(folder) };
  return {
    recipe,
    output,
    model,
    tokenizer,
    rows,
    heldOut,
    batches,
    promptLossWeight: weights.promptLossWeight,
    settings,
    ...hashes,
    fingerprint: hashOfRun(recipe, hashes),
    notes,
    free: () => {
      model.free();
      for (const cache of caches) cache.close();
    },
  };
};

const required = (recipe: Recipe, file: string): { model: string; output: string } => {
  const { model, output } = recipe;
  const missing = Object.entries({ model, output }).filter(([, value]) => value === undefined);
  if (missing.length > 0)
    throw new RecipeError(
      file,
      missing.map(([path]) => ({ path, message: "training needs it", line: undefined })),
    );
  return { model: model!, output: output! };
};

const deviceOf = (wanted: string): string => {
  const devices = availableDevices();
  if (wanted === "auto") return devices.find((device) => device !== "cpu") ?? "cpu";
  const device = wanted === "cuda" ? "cuda:0" : wanted;
  if (!devices.includes(device))
    throw new TrainingError(`training.device: there is no ${wanted} here; there is ${devices.join(", ")}`, {
      hint: "promptloss doctor says what this machine has",
    });
  return device;
};

type Loading = Parameters<typeof loadRows>[1];

/** The weight policy with `auto` settled by the whole data's generation ratio. */
const settledWeights = async (
  data: PreviewSettings,
  loading: Loading,
  notes: string[],
): Promise<WeightPolicy> => {
  const { promptLossWeight, ...rest } = data.weights;
  if (promptLossWeight !== "auto") return { ...rest, promptLossWeight };
  const automatic = await automaticWeight(readExamples(data.sources, data.read), loading.tokenizer);
  notes.push(automatic.note);
  return { ...rest, promptLossWeight: automatic.promptLossWeight };
};

const overflowNotes = ({ report }: WeightedRows): string[] => {
  const { dropped, promptCut, completionCut, noRoom, tokensCut } = report.overflow;
  const parts = [
    [dropped, "rows too long were dropped"],
    [promptCut, "prompts were cut"],
    [completionCut, "completions were cut"],
    [noRoom, "rows were left out, as their answers alone are too long"],
    [tokensCut, "tokens were cut in all"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, what]) => `${count.toLocaleString("en-US")} ${what}`);
};

/** Rows that reading, the template or the weights left out, by cause, with the first as an example. */
const skippedNotes = ({ skipped, skippedBy }: TokenizationReport, { report }: WeightedRows): string[] => {
  const line = skippedLine(addCounts(skippedBy, countSkipped(report.skipped)));
  return line === undefined ? [] : [`${line}; ${(skipped[0] ?? report.skipped[0]!).message}`];
};
