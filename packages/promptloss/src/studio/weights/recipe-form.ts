// The form of a run: its fields, the recipe that they come to, and what the service is asked for to train by it. Imports
// nothing of Node.
import { suggestedSettings } from "../../recipe/suggestions.ts";

/** As a person types them; the schema of recipes says what is wrong. Empty texts leave a key to its default. */
export interface RunForm {
  readonly model: string;
  readonly data: string;
  readonly template: string;
  readonly turns: "all" | "last";
  readonly promptLossWeight: number;
  readonly completionWeight: string;
  /** Of the stop token. */
  readonly endWeight: string;
  readonly normalization: string;
  readonly epochs: string;
  readonly batchSize: string;
  readonly learningRate: string;
  readonly schedule: string;
  readonly warmupRatio: string;
  /** What is trained: the model's own weights, or a low-rank adapter. */
  readonly method: "full" | "lora";
  readonly rank: string;
  readonly maxLength: string;
  readonly overflow: string;
  /** The share of the rows. */
  readonly heldOut: string;
  readonly seed: string;
  readonly output: string;
}

type Suggested =
  | "epochs"
  | "batchSize"
  | "learningRate"
  | "schedule"
  | "warmupRatio"
  | "method"
  | "rank"
  | "heldOut";

/** Fields to begin with, by the number of rows and the model's size. */
export function suggestedFields(rows: number, parameters: number | undefined): Pick<RunForm, Suggested> {
  const { epochs, batchSize, learningRate, schedule, warmupRatio, loraRank, heldOut } = suggestedSettings(
    rows,
    parameters,
  );
  return {
    epochs: String(epochs),
    batchSize: String(batchSize),
    learningRate: learningRate.toExponential(),
    schedule,
    warmupRatio: String(warmupRatio),
    method: loraRank === undefined ? "full" : "lora",
    rank: String(loraRank ?? ADAPTER_RANK),
    heldOut: heldOut === undefined ? "" : String(heldOut),
  };
}

/** What the field says when an adapter is chosen: the recipe's own default. */
const ADAPTER_RANK = 8;

/** A field's text as a recipe has it: a number where it is one, so that the schema names what is not. */
function value(text: string): number | string | undefined {
  const bare = text.trim();
  if (bare === "") return undefined;
  const number = Number(bare);
  return Number.isNaN(number) ? bare : number;
}

/** A section without the keys that are left out; undefined without a key. */
function section(keys: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const given = Object.entries(keys).filter(([, each]) => each !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** The recipe's keys, not checked. */
export function recipeOf(form: RunForm): Record<string, unknown> {
  const { completionWeight, endWeight, heldOut, method } = form;
  return section({
    model: form.model.trim() || undefined,
    data: form.data.trim() || undefined,
    // A run from the page leaves out what the page showed to be bad.
    onBadRow: "skip",
    template: form.template,
    turns: form.turns === "all" ? undefined : form.turns,
    loss: section({
      promptLossWeight: form.promptLossWeight,
      completionWeight: value(completionWeight),
      perClass: section({ end: value(endWeight) }),
      normalization: form.normalization === "weight-sum" ? undefined : form.normalization,
    }),
    maxLength: value(form.maxLength),
    overflow: form.overflow || undefined,
    seed: value(form.seed),
    training: section({
      epochs: value(form.epochs),
      batchSize: value(form.batchSize),
      learningRate: value(form.learningRate),
      schedule: form.schedule || undefined,
      warmupRatio: value(form.warmupRatio),
    }),
    lora: method === "lora" ? (section({ rank: value(form.rank) }) ?? {}) : undefined,
    evaluation: section({ fraction: value(heldOut) }),
    output: form.output.trim() || undefined,
  })!;
}

/** Keys of a recipe that a job's service says itself. */
const OF_THE_SERVICE: ReadonlySet<string> = new Set(["model", "data", "seed", "output"]);

/**
 * The body that creates a job for a recipe.
 * @param model the id of the model that is served
 * @param file the id of the uploaded rows
 */
export function jobRequest(
  recipe: Readonly<Record<string, unknown>>,
  { model, file }: { readonly model: string; readonly file: string },
): Record<string, unknown> {
  const rest = Object.entries(recipe).filter(([key]) => !OF_THE_SERVICE.has(key));
  return {
    model,
    training_file: file,
    ...(recipe.seed !== undefined && { seed: recipe.seed }),
    // Without a word of it a job trains an adapter.
    recipe: { lora: null, ...Object.fromEntries(rest) },
  };
}
