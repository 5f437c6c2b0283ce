// What a model has learned of its own rows that does not carry over: the loss on the held-out rows minus that on as many
// training rows, measured alike, with the weights that are written.
import { seededDraw, shuffle } from "../../data/packing/random.ts";
import { type RowSet, RowSubset } from "../../data/row-subset.ts";
import { MEASURED, type Measured, partMeans } from "../../loss/index.ts";
import type { CausalLanguageModel } from "../../models/index.ts";
import type { PartMetrics } from "../events/event.ts";
import { type HeldOutSettings, heldOutLoss } from "../held-out.ts";

/** Unweighted mean losses in nats, by part. */
type Losses = Readonly<Partial<Record<Measured, number>>>;

export interface Generalization {
  /** Training rows that were measured: as many as are held out, or all. */
  readonly rows: number;
  readonly training: Losses;
  readonly heldOut: Losses;
  /** Held-out minus training. */
  readonly gap: Losses;
}

/**
 * Measures training rows that are drawn by the seed.
 * @param heldOut what the held-out rows gave with the same weights
 * @param count how many training rows are measured at the most
 */
export function probeGeneralization(
  model: CausalLanguageModel,
  rows: RowSet,
  { heldOut, count }: { readonly heldOut: PartMetrics; readonly count: number },
  settings: HeldOutSettings & { readonly seed: number },
): Generalization {
  const { normalization, microBatch, compute } = settings;
  const all = Int32Array.from({ length: rows.length }, (_, index) => index);
  const drawn = shuffle(all, seededDraw(settings.seed)).slice(0, count).sort();
  const training = lossesOf(
    partMeans(heldOutLoss(model, new RowSubset(rows, drawn), { normalization, microBatch, compute }).sums),
  );
  const unseen = lossesOf(heldOut);
  const gap = MEASURED.flatMap((name) => {
    const [seen, held] = [training[name], unseen[name]];
    return seen === undefined || held === undefined ? [] : [[name, held - seen] as const];
  });
  return { rows: drawn.length, training, heldOut: unseen, gap: Object.fromEntries(gap) };
}

function lossesOf(metrics: PartMetrics): Losses {
  return Object.fromEntries(MEASURED.flatMap((name) => (metrics[name] ? [[name, metrics[name].loss]] : [])));
}
