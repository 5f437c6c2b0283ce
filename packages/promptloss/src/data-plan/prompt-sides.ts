// Rows for models with an encoder: which tokens it reads, what is predicted, and what a prompt's loss is. A decoder's rows
// stay as they are.

import { TOKEN_CLASSES } from "../data/example.ts";
import { seededDraw } from "../data/packing/random.ts";
import type { RowSet } from "../data/row-subset.ts";
import { partOfClass } from "../data/token-parts.ts";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import {
  type Corruption,
  corrupted,
  type PromptObjective,
  promptLength,
  resolveWeightPolicy,
  type WeightedTokens,
} from "../data/tokens/index.ts";
import type { EncoderPlan } from "../models/config/architecture.ts";
import { readModelConfig } from "../models/config/read-config.ts";
import type { DataPlan } from "./data-plan.ts";
import { DataPlanError } from "./errors.ts";

/** What a plan's model does with prompts; undefined for a decoder, and where no model is named. */
export interface PromptSides {
  readonly objective: PromptObjective;
  readonly encoder: EncoderPlan;
}

/** @throws {DataPlanError} for an objective that the model does not take, or weights that it leaves without effect */
export function promptSides(plan: DataPlan): PromptSides | undefined {
  const { model, promptObjective: objective } = plan;
  const encoder = model === undefined ? undefined : readModelConfig(model).architecture.encoder;
  if (encoder === undefined) {
    if (objective !== undefined && model !== undefined)
      throw new DataPlanError(
        `loss.promptObjective: ${model} is a decoder, which predicts its prompt as it is`,
        {
          hint: "leave it out; loss.promptLossWeight says what the prompt is worth",
        },
      );
    return undefined;
  }
  const sides = { objective: objective ?? "none", encoder };
  if (sides.objective === "none") checkUnweighted(plan);
  return sides;
}

/** @throws {DataPlanError} where prompts that nothing predicts have a weight */
function checkUnweighted({ weights: { promptLossWeight, ...rest }, model }: DataPlan): void {
  const policy = { ...rest, promptLossWeight: promptLossWeight === "auto" ? 0 : promptLossWeight };
  const { classWeights } = resolveWeightPolicy(policy);
  const weighed = TOKEN_CLASSES.find(
    (name, code) => partOfClass(name) === "prompt" && classWeights[code]! > 0,
  );
  if (weighed === undefined) return;
  const key = rest.perClass?.[weighed] === undefined ? "promptLossWeight" : `perClass.${weighed}`;
  throw new DataPlanError(
    `loss.${key}: ${model} has an encoder, and its decoder predicts no prompt, so no weight of it counts`,
    { hint: "set it to 0, or loss.promptObjective to denoise or reconstruct" },
  );
}

/** Rows as a model with an encoder reads them. */
export interface SidedRows {
  readonly rows: RowSet;
  readonly heldOut: RowSet | undefined;
  /** A row's prompt without some spans, which the decoder restores; another for each epoch. Undefined where there is none. */
  readonly corrupt: CorruptRow | undefined;
}

export type CorruptRow = (row: WeightedTokens, index: number, epoch: number) => WeightedTokens | undefined;

interface CorruptionOptions {
  readonly tokenizer: Tokenizer | undefined;
  readonly seed: number;
}

/** @throws {DataPlanError} for `denoise` with a tokenizer that has no sentinels */
export function sidedRows(
  sides: PromptSides,
  { rows, heldOut }: { readonly rows: RowSet; readonly heldOut: RowSet | undefined },
  options: CorruptionOptions,
): SidedRows {
  const corrupt = corruptionOf(sides, options);
  const sided = (row: WeightedTokens): WeightedTokens => sidedRow(sides, row);
  const plainHeldOut = heldOut && mapped(heldOut, sided);
  const measured = plainHeldOut && corrupt ? doubled(plainHeldOut, corrupt) : plainHeldOut;
  return { rows: mapped(rows, sided), heldOut: measured, corrupt };
}

/** A row with what its encoder reads alone; where the decoder reads and predicts all of it, as it is. */
export function sidedRow({ objective }: PromptSides, row: WeightedTokens): WeightedTokens {
  return objective === "reconstruct" ? row : row.withEncoded(promptLength(row.classes));
}

function mapped(rows: RowSet, change: (row: WeightedTokens) => WeightedTokens): RowSet {
  return { length: rows.length, lengths: rows.lengths, at: (index) => change(rows.at(index)) };
}

/** Held-out rows, each with its prompt corrupted in one way: an evaluation is like the next. */
function doubled(rows: RowSet, corrupt: CorruptRow): RowSet {
  const all: (readonly [index: number, isCorrupt: boolean])[] = [];
  const lengths: number[] = [];
  for (let index = 0; index < rows.length; index++) {
    all.push([index, false]);
    lengths.push(rows.lengths[index]!);
    const changed = corrupt(rows.at(index), index, HELD_OUT_EPOCH);
    if (changed === undefined) continue;
    all.push([index, true]);
    lengths.push(changed.length);
  }
  const at = (place: number): WeightedTokens => {
    const [index, isCorrupt] = all[place]!;
    const row = rows.at(index);
    return isCorrupt ? corrupt(row, index, HELD_OUT_EPOCH)! : row;
  };
  return { length: all.length, lengths: Int32Array.from(lengths), at };
}

/** Of no training epoch. */
const HELD_OUT_EPOCH = -1;

/** Odd and large, so that neighboring rows and epochs do not share their draws. */
function seedOf(seed: number, epoch: number, index: number): number {
  return (Math.imul(seed, 2654435761) + Math.imul(epoch, 40503) * 65537 + Math.imul(index, 1000003)) | 0;
}

/** T5's tokenizers have a hundred. */
const MOST_SENTINELS = 100;

/**
 * How prompts are corrupted that a decoder restores; undefined where it restores none.
 * @throws {DataPlanError} for a tokenizer that has no sentinels
 */
export function corruptionOf(
  { objective }: PromptSides,
  { tokenizer, seed }: CorruptionOptions,
): CorruptRow | undefined {
  if (objective !== "denoise") return undefined;
  const tokens = corruptionTokens(tokenizer);
  return (row, index, epoch) => corrupted(row, tokens, seededDraw(seedOf(seed, epoch, index)));
}

function corruptionTokens(tokenizer: Tokenizer | undefined): Corruption {
  const sentinels: number[] = [];
  for (let index = 0; index < MOST_SENTINELS; index++) {
    const id = tokenizer?.idOf(`<extra_id_${index}>`);
    if (id === undefined) break;
    sentinels.push(id);
  }
  const end = tokenizer?.special.eos;
  const endId = end === undefined ? undefined : tokenizer?.idOf(end);
  if (sentinels.length < 2 || endId === undefined)
    throw new DataPlanError(
      "loss.promptObjective: denoise needs a tokenizer with <extra_id_0>, <extra_id_1> and EOS",
      {
        hint: "that is T5's and its kin's; reconstruct needs no such tokens",
      },
    );
  return { sentinels, endId };
}
