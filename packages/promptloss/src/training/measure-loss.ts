// A model's loss on data, row by row and in all: for checking a mask, a data set, or a model against another system.
import type { DType } from "@promptloss/torch";
import { loadRows } from "../data/load-rows.ts";
import { WeightedRows, type WeightedTokens } from "../data/tokens/index.ts";
import {
  addPartSums,
  emptyPartSums,
  type Normalization,
  type NormalizationSettings,
  type PartSums,
  type RowLoss,
  rowLosses,
} from "../loss/index.ts";
import { loadAdapter, loadModel } from "../models/index.ts";
import { type PreviewSettings, planPreview } from "../preview/plan.ts";
import { accumulate } from "./accumulate.ts";
import { gradientNorm } from "./gradients.ts";
import { heldOutLoss } from "./held-out.ts";

export interface MeasureSettings {
  /** A model folder. */
  readonly model: string;
  /** A PEFT folder over it. */
  readonly adapter: string | undefined;
  readonly data: PreviewSettings;
  readonly normalization: Normalization;
  /** The dtype of matrix products; that of the weights, float32, where left out. */
  readonly compute: DType | undefined;
  readonly microBatchTokens: number;
  /** The norm of the loss's gradient too. */
  readonly gradients: boolean;
  /** Told of each row, in the order of the data. */
  readonly onRow: (row: RowLoss) => void;
}

export interface MeasuredLoss {
  readonly rows: number;
  readonly promptLossWeight: number;
  readonly normalization: Normalization;
  /** Over all rows as one batch. */
  readonly loss: number;
  readonly gradientNorm?: number;
  /** By parameter. */
  readonly gradientNorms?: Readonly<Record<string, number>>;
  readonly sums: PartSums;
}

export const measureLoss = async (settings: MeasureSettings): Promise<MeasuredLoss> => {
  const { data, gradients, compute } = settings;
  const plan = await planPreview(data);
  const model = loadModel(settings.model, {
    dtype: "float32",
    trainable: gradients && settings.adapter === undefined,
  });
  if (settings.adapter !== undefined)
    model.adapter = loadAdapter(settings.adapter, model.architecture, { trainable: gradients });
  const { tokenizer, template } = plan;
  using cache = await loadRows(data.sources, { tokenizer, template, turns: data.turns, read: data.read });
  const maxLength = plan.overflow?.maxLength ?? model.architecture.maxPositions;
  const rows = new WeightedRows(cache, {
    weights: plan.weights,
    overflow: plan.overflow ?? { maxLength, policy: "error", bosId: tokenizer.bosId },
    onBadRow: data.read.onBadRow ?? "error",
  });
  const microBatch = { tokens: settings.microBatchTokens };
  const sums = emptyPartSums();
  for (const group of consecutive(rows, settings.microBatchTokens))
    for (const row of rowLosses(model, group, { compute })) {
      addPartSums(sums, row.sums);
      settings.onRow(row);
    }
  const { promptLossWeight } = plan.weights;
  const normalization: NormalizationSettings = {
    normalization: settings.normalization,
    promptShare: Math.min(1, promptLossWeight),
  };
  const known = { rows: rows.length, promptLossWeight, normalization: settings.normalization, sums };
  try {
    if (!gradients)
      return { ...known, loss: heldOutLoss(model, rows, { normalization, microBatch, compute }).loss };
    const all = Array.from({ length: rows.length }, (_, index) => rows.at(index));
    const { loss } = accumulate(model, all, { normalization, scope: "batch", microBatch, compute }, false);
    const norms = [...model.trainable].map(([name, tensor]) => [name, gradientNorm([tensor])] as const);
    return {
      ...known,
      loss,
      gradientNorm: gradientNorm(model.trainable.values()),
      gradientNorms: Object.fromEntries(norms),
    };
  } finally {
    model.free();
  }
};

/** Rows in their order, in groups of at most so many tokens. */
function* consecutive(rows: WeightedRows, budget: number): Generator<WeightedTokens[]> {
  let group: WeightedTokens[] = [];
  let tokens = 0;
  for (let index = 0; index < rows.length; index++) {
    const row = rows.at(index);
    if (group.length > 0 && tokens + row.length > budget) {
      yield group;
      [group, tokens] = [[], 0];
    }
    group.push(row);
    tokens += row.length;
  }
  if (group.length > 0) yield group;
}
