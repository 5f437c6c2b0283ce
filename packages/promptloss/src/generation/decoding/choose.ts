// The next token of each row of a step. Rows may differ in all that decides on it; those that are drawn alike are drawn
// together.
import { fromTypedArray, type Tensor } from "@promptloss/torch";
import { notFinite } from "../../models/errors.ts";
import type { TokenLogProbability } from "../types.ts";
import { floatsOf, idsOf, tokenLogProbabilities } from "./chosen.ts";
import { drawTokens } from "./draw.ts";
import type { Row } from "./row.ts";
import { penalizeRepeats } from "./scores.ts";

export interface Chosen {
  readonly id: number;
  readonly logProbability: TokenLogProbability | undefined;
}

/** @param logits the model's own, [rows, vocabulary] float32 @returns one for each row */
export function chooseTokens(logits: Tensor, rows: readonly Row[]): Chosen[] {
  let scores = logits;
  if (rows.some(({ settings }) => settings.repetitionPenalty !== 1))
    scores = penalizeRepeats(
      scores,
      rows.map(({ seen }) => seen),
      rows.map(({ settings }) => settings.repetitionPenalty),
    );
  const forbidden = forbiddenTokens(rows, scores.shape[1]!, scores.device);
  if (forbidden !== undefined) scores = scores.maskedFill(forbidden, Number.NEGATIVE_INFINITY);
  const [best, greedy] = scores.max(-1, { keepdim: true });
  if (floatsOf(best).some((score) => !Number.isFinite(score))) throw notFinite("the model's logits");
  const ids = idsOf(greedy);
  for (const drawn of groupsBy(rows, ({ settings: { temperature, topK, topP } }) =>
    temperature === 0 ? undefined : `${temperature} ${topK} ${topP}`,
  )) {
    const uniforms = Float64Array.from(drawn, (i) => rows[i]!.draw());
    const found = idsOf(drawTokens(rowsOf(scores, drawn, rows.length), uniforms, rows[drawn[0]!]!.settings));
    drawn.forEach((i, place) => {
      ids[i] = found[place]!;
    });
  }
  const told = logProbabilitiesOf(logits, rows, ids);
  return rows.map((_, i) => ({ id: ids[i]!, logProbability: told.get(i) }));
}

/** Of the rows that ask for them. */
function logProbabilitiesOf(
  logits: Tensor,
  rows: readonly Row[],
  ids: Int32Array,
): Map<number, TokenLogProbability> {
  const told = new Map<number, TokenLogProbability>();
  for (const group of groupsBy(rows, ({ settings }) => settings.logProbabilities?.toString())) {
    const chosen = fromTypedArray(
      BigInt64Array.from(group, (i) => BigInt(ids[i]!)),
      [group.length, 1],
      {
        device: logits.device,
      },
    );
    const top = rows[group[0]!]!.settings.logProbabilities!;
    const found = tokenLogProbabilities(rowsOf(logits, group, rows.length), chosen, top);
    group.forEach((i, place) => {
      told.set(i, found[place]!);
    });
  }
  return told;
}

/** Indexes of rows with the same key; those without one are left out. */
function groupsBy(rows: readonly Row[], keyOf: (row: Row) => string | undefined): number[][] {
  const groups = new Map<string, number[]>();
  rows.forEach((row, i) => {
    const key = keyOf(row);
    if (key === undefined) return;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [i]);
    else group.push(i);
  });
  return [...groups.values()];
}

function rowsOf(of: Tensor, rows: readonly number[], all: number): Tensor {
  if (rows.length === all) return of;
  const index = fromTypedArray(BigInt64Array.from(rows, BigInt), undefined, { device: of.device });
  return of.indexSelect(0, index);
}

/** [rows, vocabulary] bool: tokens that a constraint excludes, and stop tokens before the least length. */
function forbiddenTokens(rows: readonly Row[], vocabulary: number, device: string): Tensor | undefined {
  const early = ({ ids, settings }: Row): boolean =>
    ids.length < settings.minNewTokens && settings.stopIds.size > 0;
  if (!rows.some((row) => row.constraint !== undefined || early(row))) return undefined;
  const flags = new Uint8Array(rows.length * vocabulary);
  rows.forEach((row, i) => {
    const own = flags.subarray(i * vocabulary, (i + 1) * vocabulary);
    const { constraint, settings } = row;
    if (constraint !== undefined) {
      const { allowed } = constraint;
      for (let id = 0; id < vocabulary; id++) own[id] = allowed[id] === 1 ? 0 : 1;
      for (const id of settings.stopIds) if (id < vocabulary) own[id] = constraint.mayEnd ? 0 : 1;
    }
    if (early(row)) for (const id of settings.stopIds) if (id < vocabulary) own[id] = 1;
  });
  return fromTypedArray(flags, [rows.length, vocabulary], { dtype: "bool", device });
}
