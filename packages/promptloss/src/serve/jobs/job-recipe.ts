// What a job asks for → the recipe of its run. Clients give numbers and words; where things lie is the server's to say.
import { z } from "zod";
import { checkRecipe, factsOf, isPlain, type Recipe, RecipeError, recipeSchema } from "../../recipe/index.ts";
import { ServeError } from "../errors.ts";
import type { Hyperparameters, JobRecord } from "./job.ts";

/** Learning rates that a multiplier of 1 stands for: of an adapter, and of all weights. */
const LEARNING_RATES = { adapter: 2e-4, full: 2e-5 } as const;

/** OpenAI's rule for batches that are left to it: about 0.2 % of the rows, 256 at most. */
const BATCH_SHARE = 0.002;
const MOST_ROWS = 256;

/** What the server adds to a job's wishes. */
export interface JobPlaces {
  readonly model: string;
  readonly training: string;
  readonly validation: string | undefined;
  readonly output: string;
  /** Of the base model where the client names none. */
  readonly template: string;
  readonly rows: number;
}

/** Keys of a recipe that say where something is, or that are the server's own. */
function keptFromClients(): string[] {
  const places = [...factsOf(recipeSchema)].flatMap(([key, { path }]) => (path ? [key] : []));
  return [...places, ...OWN_KEYS];
}

/** Of things on this machine, or of the server's choice. */
const OWN_KEYS = [
  "output",
  "strict",
  "initialize",
  "seed",
  "evaluation.data",
  "probes.forgetting",
  "loss.reweightingOptions.reference",
  "training.processes",
  "training.processTimeout",
  "training.device",
  "training.threads",
  "training.sharding",
  "lora.base",
  "adapter.base",
];

/** @throws {ServeError} for a recipe that names what is the server's to say */
function checkClientRecipe(recipe: Readonly<Record<string, unknown>>): void {
  for (const key of keptFromClients())
    if (valueAt(recipe, key.split(".")) !== undefined)
      throw new ServeError(400, `recipe.${key}: is the server's to say`, { param: `recipe.${key}` });
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isPlain(at) ? at[key] : undefined), value);
}

type Wishes = Pick<JobRecord, "hyperparameters" | "recipe" | "seed">;

/** @throws {ServeError} 400 for a recipe that can't be */
export function jobRecipe({ hyperparameters, recipe, seed }: Wishes, places: JobPlaces): Recipe {
  const given = recipe ?? {};
  checkClientRecipe(given);
  checkSaidOnce(hyperparameters, given);
  const full = "lora" in given && given.lora === null;
  const adapted = !full && given.adapter === undefined;
  const { lora: _, ...rest } = given;
  const { training, loss, evaluation } = rest;
  try {
    return checkRecipe(
      {
        template: places.template,
        ...rest,
        ...(adapted && { lora: given.lora ?? {} }),
        model: places.model,
        data: [{ path: places.training, container: "jsonl" }],
        ...((evaluation !== undefined || places.validation !== undefined) && {
          evaluation: {
            ...(evaluation as object | undefined),
            ...(places.validation !== undefined && {
              data: [{ path: places.validation, container: "jsonl" }],
            }),
          },
        }),
        training: {
          logEvery: 1,
          ...settledTraining(hyperparameters, isPlain(training) ? training : {}, full, places.rows),
          ...(training as object | undefined),
        },
        loss: { promptLossWeight: hyperparameters.prompt_loss_weight, ...(loss as object | undefined) },
        seed,
        output: places.output,
      },
      "recipe",
    );
  } catch (error) {
    if (!(error instanceof RecipeError)) throw error;
    throw new ServeError(400, error.message, { param: "recipe", hint: error.hint, cause: error });
  }
}

/** What hyperparameters come to, where the recipe does not say it. */
function settledTraining(wishes: Hyperparameters, given: object, full: boolean, rows: number): object {
  const { n_epochs, batch_size, learning_rate_multiplier } = wishes;
  const multiplier = learning_rate_multiplier === "auto" ? 1 : learning_rate_multiplier;
  const share = Math.min(MOST_ROWS, Math.max(1, Math.round(rows * BATCH_SHARE)));
  const sized = "batchSize" in given || "batchTokens" in given;
  return {
    ...(n_epochs !== "auto" && { epochs: n_epochs }),
    ...(!sized && { batchSize: batch_size === "auto" ? share : batch_size }),
    learningRate: multiplier * (full ? LEARNING_RATES.full : LEARNING_RATES.adapter),
  };
}

/** Recipe keys that say the same as a hyperparameter. */
const SAME: Readonly<Record<keyof Hyperparameters, readonly string[]>> = {
  n_epochs: ["training.epochs", "training.steps"],
  batch_size: ["training.batchSize", "training.batchTokens"],
  learning_rate_multiplier: ["training.learningRate"],
  prompt_loss_weight: ["loss.promptLossWeight"],
};

/** @throws {ServeError} where a hyperparameter and the recipe both say something */
function checkSaidOnce(wishes: Hyperparameters, recipe: Readonly<Record<string, unknown>>): void {
  for (const [name, keys] of Object.entries(SAME) as [keyof Hyperparameters, readonly string[]][])
    for (const key of keys)
      if (wishes[name] !== "auto" && valueAt(recipe, key.split(".")) !== undefined)
        throw new ServeError(400, `${name}: and recipe.${key} both say it; give one of them`, {
          param: name,
        });
}

const auto = z.literal("auto");
const positive = z.number().positive();

/** Where a request may have its hyperparameters: under `method`, and in the legacy place. */
export const hyperparametersSchema = z.strictObject({
  n_epochs: z.union([auto, z.int().min(1).max(1000)]).optional(),
  batch_size: z.union([auto, z.int().min(1).max(4096)]).optional(),
  learning_rate_multiplier: z.union([auto, positive]).optional(),
  prompt_loss_weight: z.union([auto, z.number().min(0).max(1)]).optional(),
});

export function withAutos(given: z.infer<typeof hyperparametersSchema>): Hyperparameters {
  return {
    n_epochs: given.n_epochs ?? "auto",
    batch_size: given.batch_size ?? "auto",
    learning_rate_multiplier: given.learning_rate_multiplier ?? "auto",
    prompt_loss_weight: given.prompt_loss_weight ?? "auto",
  };
}
