import { TOKEN_CLASSES } from "../../data/example.ts";
import type { Tokenizer } from "../../data/tokenizer/index.ts";
import type { DataPlan } from "../../data-plan/index.ts";
import type { ProductDtype } from "../../dtypes.ts";
import { finiteJson } from "../../finite-json.ts";
import { type ModelPaths, resolveModelPaths } from "../../generation/text/model-folder.ts";
import {
  MEASURED,
  type Normalization,
  needsReference,
  type PartSums,
  partMeans,
  type ReweightingName,
} from "../../loss/index.ts";
import { readModelConfig } from "../../models/config/read-config.ts";
import { modelFolder } from "../../models/gguf/model-folder.ts";
import type { RowLoss } from "../../models/index.ts";
import { isRecipe, type Recipe, readRecipe, reweightingSettings } from "../../recipe/index.ts";
import { type MeasureSettings, measureLoss } from "../../training/measure-loss.ts";
import { readFlags, recipeSettings, sourcesOf } from "../data-flags.ts";
import type { LengthFlags, RenderingFlags, WeightFlags } from "../data-options.ts";
import { watchedHub } from "../progress.ts";

export interface Flags extends RenderingFlags, WeightFlags, LengthFlags {
  adapter?: string;
  normalization?: Normalization;
  limit?: number;
  precision: ProductDtype;
  strict?: true;
  microBatchTokens: number;
  gradients?: true;
  tokens?: true;
  labelSmoothing?: number;
  reweighting?: ReweightingName;
}

function print(line: object): void {
  process.stdout.write(`${finiteJson(line, "the loss")}
`);
}

/** Every token; the first has no loss, as nothing predicts it. */
function tokensOf({ tokens, predictions }: RowLoss, tokenizer: Tokenizer | undefined): object[] {
  const { ids, classes, weights } = tokens;
  const { losses, correct } = predictions;
  return Array.from(ids, (id, i) => ({
    id,
    ...(tokenizer !== undefined && { token: tokenizer.tokenOf(id) ?? null }),
    class: TOKEN_CLASSES[classes[i]!],
    ...(i > 0 && { weight: weights[i], loss: losses[i - 1], correct: correct[i - 1] === 1 }),
  }));
}

/** Of such a model nothing predicts the prompt. */
function hasEncoder(model: string): boolean {
  return readModelConfig(model).architecture.encoder !== undefined;
}

/** Mean loss, accuracy and tokens of each part; null where it has no tokens. */
function partsOf(sums: PartSums) {
  const means = partMeans(sums);
  return Object.fromEntries(MEASURED.map((name) => [name, means[name] ?? null]));
}

function withFlags(
  base: DataPlan | undefined,
  { model, tokenizer, template }: ModelPaths,
  path: string,
  flags: Flags,
): DataPlan {
  const { plw, completionWeight, classWeight: perClass, limit } = flags;
  const sources = base?.sources ?? sourcesOf([path], flags);
  return {
    sources: limit === undefined ? sources : sources.map((source) => ({ ...source, limit })),
    read: { ...base?.read, ...readFlags(flags), hub: watchedHub() },
    tokenizer:
      flags.tokenizer === undefined
        ? (base?.tokenizer ?? tokenizer)
        : modelFolder(flags.tokenizer, "tokenizer"),
    template: flags.template ?? base?.template ?? template ?? "alpaca",
    templateOptions: flags.template === undefined ? (base?.templateOptions ?? {}) : {},
    turns: base?.turns ?? "all",
    weights: {
      ...(base?.weights ?? { promptLossWeight: hasEncoder(model) ? 0 : 1 }),
      ...(plw !== undefined && { promptLossWeight: plw }),
      ...(flags.allowAnyWeight && { allowAnyWeight: true }),
      ...(completionWeight !== undefined && { completionWeight }),
      ...(Object.keys(perClass).length > 0 && { perClass: { ...base?.weights.perClass, ...perClass } }),
    },
    promptObjective: base?.promptObjective,
    normalization: flags.normalization ?? base?.normalization,
    heldOut: undefined,
    seed: base?.seed ?? 0,
    model,
    maxLength: flags.maxLength ?? base?.maxLength,
    overflow: flags.overflow ?? base?.overflow,
  };
}

/**
 * The rule of the flag or of the recipe. The recipe's options hold for its own rule. Rules but rho-1 refer to the model that
 * the recipe starts from; without a recipe, to the model that is measured.
 */
function reweightingOf(
  rule: ReweightingName | undefined,
  recipe: Recipe | undefined,
  model: string,
): Pick<MeasureSettings, "reweighting" | "reference"> {
  const own = recipe && reweightingSettings(recipe.loss);
  const reweighting = rule === undefined || rule === own?.rule ? own : { rule };
  if (reweighting === undefined || !needsReference(reweighting)) return { reweighting };
  const start = reweighting.rule === "rho-1" ? undefined : (recipe?.model ?? model);
  const reference = own?.reference ?? start;
  return { reweighting, ...(reference !== undefined && { reference: modelFolder(reference) }) };
}

export async function runLoss(named: string, data: string, flags: Flags): Promise<void> {
  const paths = resolveModelPaths(named);
  const { model } = paths;
  const recipe = isRecipe(data) ? readRecipe(data, { set: flags.set ?? [] }) : undefined;
  const totals = await measureLoss({
    model,
    adapter: flags.adapter === undefined ? paths.adapter : modelFolder(flags.adapter),
    data: withFlags(recipeSettings([data], flags), paths, data, flags),
    normalization: flags.normalization ?? recipe?.loss.normalization ?? "weight-sum",
    ownDenominator: recipe?.loss.ownDenominator,
    compute: flags.precision === "bfloat16" ? "bfloat16" : undefined,
    microBatchTokens: flags.microBatchTokens,
    gradients: flags.gradients === true,
    strict: flags.strict ?? recipe?.strict ?? false,
    labelSmoothing: flags.labelSmoothing ?? recipe?.loss.labelSmoothing ?? 0,
    ...reweightingOf(flags.reweighting, recipe, model),
    onRow: (row, tokenizer) =>
      print({
        ...row.source,
        ...partsOf(row.sums),
        ...(flags.tokens && { tokens: tokensOf(row, tokenizer) }),
      }),
  });
  const { sums, ...rest } = totals;
  print({ totals: { ...rest, ...partsOf(sums) } });
}
