// A model's loss on data, row by row and in all: for checking a mask, a data set, or a model against another system.
import type { DType } from "@promptloss/torch";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import { type DataPlan, type OpenData, openData } from "../data-plan/index.ts";
import {
  addPartSums,
  emptyPartSums,
  type Normalization,
  normalizationOf,
  type OwnDenominator,
  type PartSums,
  type ReweightingName,
  type ReweightingSettings,
  reweightingOf,
} from "../loss/index.ts";
import {
  adapterStorage,
  type CausalLanguageModel,
  loadAdapter,
  loadModel,
  type RowLoss,
  rowLosses,
} from "../models/index.ts";
import { accumulate } from "./accumulate.ts";
import { consecutive } from "./batches.ts";
import { TrainingError } from "./errors.ts";
import { gradientNorm } from "./gradients.ts";
import { checkFinite, heldOutLoss } from "./held-out.ts";
import { referencedRows, referenceStatistic } from "./reference/index.ts";

export interface MeasureSettings {
  /** A model folder. */
  readonly model: string;
  /** A PEFT folder over it. */
  readonly adapter: string | undefined;
  readonly data: DataPlan;
  readonly normalization: Normalization;
  /** Classes that are divided by their own number of tokens. */
  readonly ownDenominator?: OwnDenominator | undefined;
  /** The dtype of matrix products; that of the weights, float32, where left out. */
  readonly compute: DType | undefined;
  readonly microBatchTokens: number;
  /** The share of the target that is spread over all tokens; 0 for none. Of the totals' loss and its gradient. */
  readonly labelSmoothing: number;
  /** Undefined for none. Of the totals' loss and its gradient. */
  readonly reweighting: ReweightingSettings | undefined;
  /** The folder of the model that the rule refers to, where it refers to one. */
  readonly reference?: string | undefined;
  /** Refuse a model's config with keys that are not known here, rather than note them. */
  readonly strict?: boolean;
  /** The norm of the loss's gradient too. */
  readonly gradients: boolean;
  /** Called for each row, in the order of the data. The tokenizer is undefined where the folder has none. */
  readonly onRow: (row: RowLoss, tokenizer: Tokenizer | undefined) => void;
}

export interface MeasuredLoss {
  readonly rows: number;
  readonly promptLossWeight: number;
  readonly normalization: Normalization;
  /** Left out where there are none. */
  readonly ownDenominator?: OwnDenominator;
  /** Left out where there is none. */
  readonly labelSmoothing?: number;
  readonly reweighting?: ReweightingName;
  /** Over all rows as one batch. */
  readonly loss: number;
  readonly gradientNorm?: number;
  /** By parameter. */
  readonly gradientNorms?: Readonly<Record<string, number>>;
  readonly sums: PartSums;
  /** What was decided, cut or left out. */
  readonly notes: readonly string[];
}

export async function measureLoss(settings: MeasureSettings): Promise<MeasuredLoss> {
  const { gradients, adapter, strict = false } = settings;
  const opened = await openData({ ...settings.data, heldOut: undefined });
  try {
    const data = withReference(opened, settings);
    const model = loadModel(settings.model, {
      dtype: "float32",
      strict,
      trainable: gradients && adapter === undefined,
      // An adapter is measured on what it was trained on.
      storage: adapter === undefined ? undefined : adapterStorage(adapter),
    });
    try {
      if (adapter !== undefined)
        model.adapter = loadAdapter(adapter, model.architecture, { trainable: gradients });
      return measured(model, data, settings);
    } finally {
      model.free();
    }
  } finally {
    opened.close();
  }
}

/** @throws {TrainingError} where a rule needs a reference model and there is none, or it cannot compute the rows */
function withReference(data: OpenData, { reweighting, reference, compute }: MeasureSettings): OpenData {
  const statistic = reweighting && referenceStatistic(reweighting);
  if (statistic === undefined) return data;
  if (reference === undefined)
    throw new TrainingError(`${reweighting!.rule} needs a reference model`, {
      hint: "name it in a recipe's loss.reweightingOptions.reference, and give that recipe",
    });
  const { rows, notes } = referencedRows(data.rows, { folder: reference, statistic, compute });
  return { ...data, rows, notes: [...data.notes, ...notes] };
}

function measured(
  model: CausalLanguageModel,
  { rows, weights, notes, tokenizer }: OpenData,
  { gradients, compute, microBatchTokens, labelSmoothing, reweighting: rule, ...settings }: MeasureSettings,
): MeasuredLoss {
  const sums = emptyPartSums();
  for (const group of consecutive(rows, microBatchTokens)) {
    const measured = rowLosses(model, group, { compute });
    checkFinite(
      group,
      measured.map((row) => row.sums),
    );
    for (const row of measured) {
      addPartSums(sums, row.sums);
      settings.onRow(row, tokenizer);
    }
  }
  const { promptLossWeight } = weights;
  const { ownDenominator } = settings;
  const normalization = normalizationOf(settings, promptLossWeight);
  const microBatch = { tokens: microBatchTokens };
  const reweighting = rule && reweightingOf(rule);
  const how = { normalization, microBatch, compute, labelSmoothing, reweighting };
  const known = {
    rows: rows.length,
    promptLossWeight,
    normalization: settings.normalization,
    ...(ownDenominator !== undefined && { ownDenominator }),
    ...(labelSmoothing > 0 && { labelSmoothing }),
    ...(rule !== undefined && { reweighting: rule.rule }),
    sums,
    notes: [...notes, ...model.notes],
  };
  if (!gradients) return { ...known, loss: heldOutLoss(model, rows, how).loss };
  const all = Array.from({ length: rows.length }, (_, index) => rows.at(index));
  const { loss } = accumulate(model, all, { ...how, scope: "batch" }, false);
  const norms = [...model.trainable].map(([name, tensor]) => [name, gradientNorm([tensor])] as const);
  return {
    ...known,
    loss,
    gradientNorm: gradientNorm(model.trainable.values()),
    gradientNorms: Object.fromEntries(norms),
  };
}
