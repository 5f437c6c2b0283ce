// The losses that the model at hand has on the rows now: asked for a few rows at a time, so that the server stays free for
// others, and dropped when rows, model or lengths change.
import { computed, effect, signal } from "@preact/signals";
import type { LossesAnswer } from "../../../packages/promptloss/src/studio/weights/answer.ts";
import {
  measuredSharesOf,
  type WeighedRow,
} from "../../../packages/promptloss/src/studio/weights/token-weights.ts";
import { postJson } from "../api/client.ts";
import {
  answer,
  chosenTokenizer,
  messageOf,
  normalization,
  overflow,
  settings,
  WEIGHTS,
  weighed,
} from "./state.ts";

/** Tokens of the rows that are measured: some seconds of a small model on a processor. */
const MOST_TOKENS = 8192;

export interface Measured {
  /** Of each row, in the answer's order; undefined for one that is not measured. */
  readonly losses: readonly (readonly number[] | undefined)[];
  readonly rows: number;
  /** Rows that will be measured. */
  readonly all: number;
}

export const measured = signal<Measured | undefined>(undefined);
export const failure = signal<string | undefined>(undefined);

let asking = new AbortController();

effect(() => {
  // What losses depend on, beside the model's weights.
  void [answer.value, chosenTokenizer.value, overflow.value];
  asking.abort();
  measured.value = undefined;
  failure.value = undefined;
});

/** Rows that fit into one request, by their places. */
function groupsOf(rows: readonly WeighedRow[], most: number): number[][] {
  const groups: number[][] = [];
  let [tokens, all] = [0, 0];
  for (const [i, { kept }] of rows.entries()) {
    if (kept === undefined || kept.length < 2) continue;
    all += kept.length;
    if (all > MOST_TOKENS && groups.length > 0) break;
    const group = groups.at(-1);
    tokens += kept.length;
    if (group !== undefined && tokens <= most) group.push(i);
    else {
      groups.push([i]);
      tokens = kept.length;
    }
  }
  return groups;
}

export async function measure(): Promise<void> {
  const rows = weighed.peek();
  const { id } = chosenTokenizer.peek() ?? {};
  if (typeof rows === "string" || id === undefined) return;
  asking = new AbortController();
  const { signal: ending } = asking;
  failure.value = undefined;
  const groups = groupsOf(rows.rows, settings.peek()!.lossTokens);
  const all = groups.flat().length;
  const losses: (readonly number[] | undefined)[] = rows.rows.map(() => undefined);
  measured.value = { losses: [...losses], rows: 0, all };
  try {
    for (const group of groups) {
      const body = { tokenizer: id, rows: group.map((i) => [...rows.rows[i]!.kept!.ids]) };
      const response = await postJson(`${WEIGHTS}/losses`, body, ending);
      const found = (await response.json()) as LossesAnswer;
      if (ending.aborted) return;
      for (const [k, i] of group.entries()) losses[i] = found.losses[k];
      measured.value = { losses: [...losses], rows: losses.filter((each) => each !== undefined).length, all };
    }
  } catch (error) {
    if (ending.aborted) return;
    measured.value = undefined;
    failure.value = messageOf(error);
  }
}

/** Whether all that will be measured is. */
export const isMeasured = computed(
  () => measured.value !== undefined && measured.value.rows === measured.value.all,
);

/** The shares of the loss that the model has, of the rows that are measured; undefined before. */
export const measuredShares = computed(() => {
  const rows = weighed.value;
  if (!isMeasured.value || typeof rows === "string") return undefined;
  const found = measuredSharesOf(rows, measured.value!.losses, { normalization: normalization.value });
  return typeof found === "string" ? undefined : found;
});

/** The loss of predicting a row's token; undefined where it is not measured, cut off or the first. */
export function lossAt(row: number, place: number, { cut: [from, to] }: WeighedRow): number | undefined {
  if (place >= from && place < to) return undefined;
  const left = place < from ? place : place - (to - from);
  return measured.value?.losses[row]?.[left - 1];
}
