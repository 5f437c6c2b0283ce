// Rows that carry what a reference model makes of their tokens.
import { createHash } from "node:crypto";
import type { DType } from "@promptloss/torch";
import type { RowSet } from "../../data/row-subset.ts";
import type { WeightedTokens } from "../../data/tokens/index.ts";
import {
  needsReference,
  type PlaceStatistic,
  type ReweightingSettings,
  reweightingRule,
  settledOptions,
} from "../../loss/index.ts";
import { folderIdentity } from "../../models/folder/identity.ts";
import { loadModel, ModelError } from "../../models/index.ts";
import { consecutive } from "../batches.ts";
import { TrainingError } from "../errors.ts";
import { cachedStatistics, referenceCacheFolder } from "./cache.ts";
import { rowStatistics } from "./statistics.ts";

export interface ReferenceSettings {
  /** The reference model's folder. */
  readonly folder: string;
  readonly statistic: PlaceStatistic;
  /** The dtype of matrix products; that of the weights, float32, where undefined. */
  readonly compute: DType | undefined;
  readonly device?: string;
  /** The most tokens computed at one time. */
  readonly tokens?: number;
  /** Where the numbers are kept; the user's cache folder where left out. */
  readonly cache?: string | undefined;
  /** Called with the number of rows computed so far; not at all where the cache has them. */
  readonly onRows?: (done: number, total: number) => void;
}

export interface ReferencedData {
  readonly rows: RowSet;
  /** Of the reference model's config and weights. */
  readonly identity: string;
  /** Why numbers that were kept are computed again. */
  readonly notes: readonly string[];
}

/** The statistic that a rule asks of a reference model; undefined where it looks at none. */
export function referenceStatistic(settings: ReweightingSettings): PlaceStatistic | undefined {
  return needsReference(settings)
    ? reweightingRule(settings.rule).statistic(settledOptions(settings))
    : undefined;
}

/**
 * Computes the numbers once for a model and the rows' ids, and keeps them.
 * @throws {TrainingError} for a reference model that cannot compute the rows
 */
export function referencedRows(rows: RowSet, settings: ReferenceSettings): ReferencedData {
  const { folder, statistic, compute, cache = referenceCacheFolder() } = settings;
  const identity = folderIdentity(folder, { texts: false });
  const starts = new Float64Array(rows.length + 1);
  for (const [index, length] of rows.lengths.entries()) starts[index + 1] = starts[index]! + length;
  const key = {
    model: identity,
    ids: hashOfIds(rows),
    how: JSON.stringify([statistic, compute ?? "float32"]),
  };
  const notes: string[] = [];
  const all = cachedStatistics(
    cache,
    key,
    starts[rows.length]!,
    () => computed(rows, starts, settings),
    (line) => notes.push(line),
  );
  const at = (index: number): WeightedTokens =>
    rows.at(index).withReference(all.subarray(starts[index], starts[index + 1]));
  return { rows: { length: rows.length, lengths: rows.lengths, at }, identity, notes };
}

function computed(rows: RowSet, starts: Float64Array, settings: ReferenceSettings): Float32Array {
  const { folder, statistic, compute, device = "cpu", tokens, onRows } = settings;
  const all = new Float32Array(starts[rows.length]!);
  const model = opened(folder, device);
  try {
    let done = 0;
    for (const group of consecutive(rows, tokens)) {
      const found = naming(folder, () => rowStatistics(model, group, statistic, compute));
      for (const [index, statistics] of found.entries()) {
        const bad = statistics.findIndex((value) => !Number.isFinite(value));
        if (bad >= 0) {
          const { file, row } = group[index]!.source;
          throw new TrainingError(
            `the reference model ${folder} gives ${statistics[bad]} at token ${bad} of ${file}, row ${row}`,
          );
        }
        all.set(statistics, starts[done + index]!);
      }
      done += group.length;
      onRows?.(done, rows.length);
    }
  } finally {
    model.free();
  }
  return all;
}

function opened(folder: string, device: string) {
  return naming(folder, () => loadModel(folder, { dtype: "float32", device, trainable: false }));
}

/** Says of an error of a model which of a run's models it is. */
function naming<T>(folder: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    throw new TrainingError(`the reference model ${folder}: ${error.message}`, {
      hint: error.hint ?? "it needs the vocabulary of the model that is trained, and room for its rows",
      cause: error,
    });
  }
}

function hashOfIds(rows: RowSet): string {
  const hash = createHash("sha256");
  for (let index = 0; index < rows.length; index++) {
    const { ids } = rows.at(index);
    hash.update(`${ids.length}\n`).update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
  }
  return hash.digest("hex");
}
