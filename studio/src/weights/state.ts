// What the page on weights holds while the studio is open: rows and how they are read, what the server makes of them, and
// the weight at hand. All that follows from the weight is computed here, by the modules that training uses.
import { computed, effect, signal } from "@preact/signals";
import {
  OVERFLOW_POLICIES,
  type OverflowOptions,
} from "../../../packages/promptloss/src/data/tokens/overflow.ts";
import { NORMALIZATIONS, type Normalization } from "../../../packages/promptloss/src/loss/normalization.ts";
import type {
  RecommendationAnswer,
  TokenizerEntry,
  WeightsAnswer,
  WeightsSettings,
} from "../../../packages/promptloss/src/studio/weights/answer.ts";
import {
  classifiedRow,
  type LossShares,
  sharesOf,
  type WeighedRows,
  weighRows,
} from "../../../packages/promptloss/src/studio/weights/token-weights.ts";
import { LAST_STEP, weightOfStep } from "../../../packages/promptloss/src/studio/weights/weight-scale.ts";
import { getJson, postJson } from "../api/client.ts";

export { NORMALIZATIONS, type Normalization };

export const WEIGHTS = "/studio/api/weights";

/** What rows may be said to be; `""` leaves it to their content. */
export const CONTAINERS = [
  ["", "found out from the text"],
  ["jsonl", "JSON lines"],
  ["json", "JSON"],
  ["csv", "CSV or TSV"],
  ["text", "plain text"],
] as const;

export interface RowsInput {
  readonly text: string;
  readonly name: string;
  readonly container: string;
  /** The id of a tokenizer; empty until one is there. */
  readonly tokenizer: string;
  readonly template: string;
  readonly turns: "all" | "last";
}

export const PASTED = "pasted rows";

export const input = signal<RowsInput>({
  text: "",
  name: PASTED,
  container: "",
  tokenizer: "",
  template: "auto",
  turns: "all",
});

export function setInput(change: Partial<RowsInput>): void {
  input.value = { ...input.value, ...change };
}

export const settings = signal<WeightsSettings | undefined>(undefined);
export const answer = signal<WeightsAnswer | undefined>(undefined);
/** Why there is no answer to the rows at hand. */
export const refusal = signal<string | undefined>(undefined);
/** What was done with a file that was chosen, where it was not taken whole. */
export const notice = signal<string | undefined>(undefined);
export const busy = signal(false);

export const weight = signal(0.1);
export const normalization = signal<Normalization>("weight-sum");
/** Of completions and of the stop token, as typed; empty for 1. */
export const otherWeights = signal({ completion: "", end: "" });
/** The most tokens of a row and what is done with longer ones, as typed; empty for the model's positions and `error`. */
export const lengths = signal({ maxLength: "", overflow: "" });
export const taskGroup = signal("");
/** The id of a study whose runs the recommendation rests on; empty for none. */
export const study = signal("");

export const chosenTokenizer = computed<TokenizerEntry | undefined>(() =>
  settings.value?.tokenizers.find(({ id }) => id === input.value.tokenizer),
);

/** Asks what there is to choose; again when the page is opened anew, since runs leave models behind. */
export async function loadSettings(): Promise<void> {
  try {
    const found = await getJson<WeightsSettings>(WEIGHTS);
    settings.value = found;
    const known = found.tokenizers.some(({ id }) => id === input.value.tokenizer);
    if (!known) setInput({ tokenizer: found.tokenizers[0]?.id ?? "" });
  } catch (error) {
    refusal.value = messageOf(error);
  }
}

/** The body of a request about the rows. */
export function rowsBody({ text, name, container }: RowsInput): object {
  return { text, name, ...(container !== "" && { container }) };
}

/** Milliseconds of quiet before rows are sent. */
const QUIET = 350;

let asking = new AbortController();
let waiting: ReturnType<typeof setTimeout> | undefined;

// Rows, tokenizer or template changed: the answer to the last of them counts.
effect(() => {
  const asked = input.value;
  clearTimeout(waiting);
  asking.abort();
  if (asked.text.trim() === "" || asked.tokenizer === "") {
    answer.value = undefined;
    refusal.value = undefined;
    busy.value = false;
    return;
  }
  asking = new AbortController();
  const { signal: ending } = asking;
  busy.value = true;
  waiting = setTimeout(() => void ask(asked, ending), QUIET);
});

async function ask(asked: RowsInput, ending: AbortSignal): Promise<void> {
  const { tokenizer, template, turns } = asked;
  try {
    const body = { ...rowsBody(asked), tokenizer, template, turns };
    const response = await postJson(`${WEIGHTS}/tokens`, body, ending);
    const found = (await response.json()) as WeightsAnswer;
    if (ending.aborted) return;
    answer.value = found;
    refusal.value = undefined;
  } catch (error) {
    if (ending.aborted) return;
    answer.value = undefined;
    refusal.value = messageOf(error);
  }
  busy.value = false;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The rows as tokenizing made them; they change with the answer alone. */
const classified = computed(() => (answer.value?.rows ?? []).map(classifiedRow));

/** How long a row may be; undefined where neither the form nor the model says it. */
export const overflow = computed<OverflowOptions | undefined>(() => {
  const typed = Number(lengths.value.maxLength);
  const isSaid = lengths.value.maxLength.trim() !== "" && Number.isInteger(typed) && typed >= 2;
  const maxLength = isSaid ? typed : chosenTokenizer.value?.positions;
  if (maxLength === undefined) return undefined;
  const policy = OVERFLOW_POLICIES.find((name) => name === lengths.value.overflow) ?? "error";
  return { maxLength, policy, bosId: answer.value?.bosId };
});

/** The rows at a prompt loss weight, or why they can't be weighed. */
function weighedAt(promptLossWeight: number): WeighedRows | string {
  const { completion, end } = otherWeights.value;
  try {
    const policy = {
      promptLossWeight,
      ...(completion.trim() !== "" && { completionWeight: Number(completion) }),
      ...(end.trim() !== "" && { perClass: { end: Number(end) } }),
    };
    return weighRows(classified.value, policy, overflow.value);
  } catch (error) {
    return messageOf(error);
  }
}

export const weighed = computed(() => weighedAt(weight.value));

/** Steps of the slider between two points of the curve. */
const CURVE_STEPS = 10;

/** The prompt's share by the slider's step under the chosen normalization; points without a loss are left out. */
export const shareCurve = computed(() => {
  const points: { readonly step: number; readonly share: number }[] = [];
  for (let step = 0; step <= LAST_STEP; step += CURVE_STEPS) {
    const rows = weighedAt(weightOfStep(step));
    const found = typeof rows === "string" ? rows : sharesOf(rows, { normalization: normalization.value });
    if (typeof found !== "string") points.push({ step, share: found.parts.prompt });
  }
  return points;
});

/** Of the rows shown, as one batch: shares of the loss under each normalization, or why there are none. */
export const shares = computed<Readonly<Record<Normalization, LossShares | string>>>(() => {
  const rows = weighed.value;
  const found = NORMALIZATIONS.map((name) => [
    name,
    typeof rows === "string" ? rows : sharesOf(rows, { normalization: name }),
  ]);
  return Object.fromEntries(found) as Record<Normalization, LossShares | string>;
});

export const chosenShares = computed(() => shares.value[normalization.value]);

type Recommendations = Readonly<Record<Normalization, RecommendationAnswer>>;

export const recommendations = signal<Recommendations | undefined>(undefined);
/** Why there is no recommendation. */
export const unadvisedBecause = signal<string | undefined>(undefined);

export const recommendation = computed(() => recommendations.value?.[normalization.value]);

let recommending = new AbortController();

const question = computed(() => {
  const ratio = answer.value?.generationRatio?.ratioOfMeans;
  if (ratio === undefined || ratio === 0) return undefined;
  const { parameters } = chosenTokenizer.value ?? {};
  return new URLSearchParams({
    ratio: String(ratio),
    ...(taskGroup.value !== "" && { task_group: taskGroup.value }),
    ...(parameters !== undefined && { parameters: String(parameters) }),
    ...(study.value !== "" && { study: study.value }),
  }).toString();
});

effect(() => {
  recommending.abort();
  recommending = new AbortController();
  const { signal: ending } = recommending;
  const asked = question.value;
  if (asked === undefined) {
    recommendations.value = undefined;
    return;
  }
  getJson<Recommendations>(`${WEIGHTS}/recommendation?${asked}`, ending).then(
    (found) => {
      if (ending.aborted) return;
      recommendations.value = found;
      unadvisedBecause.value = undefined;
    },
    (error: unknown) => {
      if (ending.aborted) return;
      recommendations.value = undefined;
      unadvisedBecause.value = messageOf(error);
    },
  );
});
