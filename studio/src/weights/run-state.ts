// The form of a run: what was typed over what the rows and the weight suggest, and what the server says of the recipe.
import { computed, effect, signal } from "@preact/signals";
import type { RecipeAnswer } from "../../../packages/promptloss/src/studio/weights/answer.ts";
import {
  type RunForm,
  recipeOf,
  suggestedFields,
} from "../../../packages/promptloss/src/studio/weights/recipe-form.ts";
import { postJson } from "../api/client.ts";
import {
  answer,
  chosenTokenizer,
  input,
  lengths,
  messageOf,
  normalization,
  otherWeights,
  PASTED,
  WEIGHTS,
  weight,
} from "./state.ts";

/** Fields that a person has changed. */
export const typed = signal<Partial<RunForm>>({});

function dataName(name: string): string {
  return name === PASTED ? "rows.jsonl" : name;
}

export const form = computed<RunForm>(() => {
  const { counts, template = "alpaca", turns = "all" } = answer.value ?? {};
  const tokenizer = chosenTokenizer.value;
  const data = dataName(input.value.name);
  return {
    model: tokenizer?.path ?? "",
    data,
    template,
    turns,
    ...suggestedFields(counts?.usable ?? 0, tokenizer?.parameters),
    ...lengths.value,
    seed: "0",
    output: `runs/${data.replace(/\.\w+$/, "")}`,
    ...typed.value,
    promptLossWeight: weight.value,
    normalization: normalization.value,
    completionWeight: otherWeights.value.completion,
    endWeight: otherWeights.value.end,
  };
});

export const recipe = computed(() => recipeOf(form.value));

/** The job that was started last. */
export const startedJob = signal<string | undefined>(undefined);

/** The recipe as YAML with its problems; undefined until the server has said it. */
export const checked = signal<RecipeAnswer | undefined>(undefined);

/** Why the server said nothing. */
export const uncheckedBecause = signal<string | undefined>(undefined);

/** Milliseconds of quiet before the recipe is sent. */
const QUIET = 150;

let asking = new AbortController();
let waiting: ReturnType<typeof setTimeout> | undefined;

effect(() => {
  const asked = recipe.value;
  clearTimeout(waiting);
  asking.abort();
  asking = new AbortController();
  const { signal: ending } = asking;
  if (answer.value === undefined) return;
  waiting = setTimeout(() => {
    postJson(`${WEIGHTS}/recipe`, { recipe: asked }, ending)
      .then((response) => response.json())
      .then(
        (found: RecipeAnswer) => {
          if (ending.aborted) return;
          checked.value = found;
          uncheckedBecause.value = undefined;
        },
        (error: unknown) => {
          if (!ending.aborted) uncheckedBecause.value = messageOf(error);
        },
      );
  }, QUIET);
});

/** The problem of a recipe's key; of keys below it, too. */
export function problemAt(path: string): string | undefined {
  const found = checked.value?.problems.filter(
    (each) => each.path === path || each.path.startsWith(`${path}.`),
  );
  return found === undefined || found.length === 0
    ? undefined
    : found.map(({ message }) => message).join("; ");
}
