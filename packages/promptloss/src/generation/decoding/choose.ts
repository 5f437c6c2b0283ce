// The next token of each row of a step. Rows may differ in all that decides on it; those that are drawn alike are drawn
// together. Tokens are chosen on the device, and nothing is read there: what a step came to is read when it is asked for.
import { cat, type Tensor, upload } from "@promptloss/torch";
import { notFinite } from "../../models/errors.ts";
import type { TokenLogProbability } from "../types.ts";
import { drawTokens } from "./draw.ts";
import { indexOn, rowsOf } from "./index-on.ts";
import type { Row } from "./row.ts";
import { logProbabilitiesOf, penalizeRepeats } from "./scores.ts";

export interface Chosen {
  readonly id: number;
  readonly logProbability: TokenLogProbability | undefined;
}

/** What a step chose, on the device. */
export interface ChosenTokens {
  /** [rows] int64. */
  readonly ids: Tensor;
  /**
   * All that is told of it, of one dimension, in float32, which has a number for each id of a vocabulary. {@link chosenOf}
   * reads it.
   */
  readonly numbers: Tensor;
}

/**
 * @param logits the model's own, [rows, vocabulary] float32
 * @param recent tokens of the rows that are chosen and that the host has not read, [rows, tokens] int64; a row may repeat
 * in it what it has seen
 */
export function chooseTokens(logits: Tensor, rows: readonly Row[], recent?: Tensor): ChosenTokens {
  let scores = logits;
  if (rows.some(({ settings }) => settings.repetitionPenalty !== 1))
    scores = penalizeRepeats(
      scores,
      rows.map(({ seen }) => seen),
      rows.map(({ settings }) => settings.repetitionPenalty),
      recent,
    );
  const forbidden = forbiddenTokens(rows, scores.shape[1]!, scores.device);
  if (forbidden !== undefined) scores = scores.maskedFill(forbidden, Number.NEGATIVE_INFINITY);
  const [best, greedy] = scores.max(-1);
  let ids = greedy;
  for (const drawn of groupsBy(rows, ({ settings: { temperature, topK, topP } }) =>
    temperature === 0 ? undefined : `${temperature} ${topK} ${topP}`,
  )) {
    const uniforms = Float64Array.from(drawn, (i) => rows[i]!.draw());
    const found = drawTokens(rowsOf(scores, drawn), uniforms, rows[drawn[0]!]!.settings).reshape([-1]);
    ids = drawn.length === rows.length ? found : ids.scatter(0, indexOn(drawn, ids.device), found);
  }
  const told = toldGroups(rows).flatMap((group) => {
    const all = logProbabilitiesOf(rowsOf(logits, group));
    const own = all.gather(1, rowsOf(ids, group).unsqueeze(1));
    const count = topCount(rows[group[0]!]!, all.shape[1]!);
    if (count === 0) return [own];
    const [values, places] = all.topk(count);
    return [own, values, places];
  });
  const numbers = cat(
    [ids, best, ...told].map((part) => part.reshape([-1]).float()),
    0,
  );
  return { ids, numbers };
}

/**
 * The tokens of a step whose numbers were read.
 * @param numbers of {@link chooseTokens}, for the same rows
 * @throws {ModelError} where the model's logits were not finite
 */
export function chosenOf(numbers: readonly number[], rows: readonly Row[], vocabulary: number): Chosen[] {
  const count = rows.length;
  const ids = numbers.slice(0, count);
  if (numbers.slice(count, 2 * count).some((score) => !Number.isFinite(score)))
    throw notFinite("the model's logits");
  const told = new Map<number, TokenLogProbability>();
  let at = 2 * count;
  const next = (length: number): readonly number[] => {
    at += length;
    return numbers.slice(at - length, at);
  };
  for (const group of toldGroups(rows)) {
    const width = topCount(rows[group[0]!]!, vocabulary);
    const own = next(group.length);
    const [values, places] = [next(group.length * width), next(group.length * width)];
    group.forEach((row, i) => {
      const top = Array.from({ length: width }, (_, k) => ({
        id: places[i * width + k]!,
        logProbability: values[i * width + k]!,
      }));
      told.set(row, { id: ids[row]!, logProbability: own[i]!, top });
    });
  }
  return ids.map((id, i) => ({ id, logProbability: told.get(i) }));
}

/** Rows that ask for log-probabilities, by how many of the likeliest. */
function toldGroups(rows: readonly Row[]): number[][] {
  return groupsBy(rows, ({ settings }) => settings.logProbabilities?.toString());
}

function topCount({ settings }: Row, vocabulary: number): number {
  return Math.min(settings.logProbabilities!, vocabulary);
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

/** [rows, vocabulary] bool: tokens that a constraint excludes, and stop tokens before the least length. */
function forbiddenTokens(rows: readonly Row[], vocabulary: number, device: string): Tensor | undefined {
  const early = ({ length, settings }: Row): boolean =>
    length < settings.minNewTokens && settings.stopIds.size > 0;
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
  return upload([flags], device)[0]!.reshape([rows.length, vocabulary]).to({ dtype: "bool" });
}
