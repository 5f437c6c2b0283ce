// The keys of a recipe that say which tokens are trained on and how much. What `training` and `output` may hold is
// for the trainer to check.
import { z } from "zod";
import { TOKEN_CLASSES } from "../data/example.ts";
import { FORMAT_NAMES } from "../data/rows/index.ts";
import { OVERFLOW_POLICIES } from "../data/tokens/index.ts";

const weight = z.number().nonnegative();

/** A data source; its other keys are checked where it is read. */
const dataSource = z.looseObject({ path: z.string().min(1), format: z.enum(FORMAT_NAMES).optional() });

const templateStrings = z.record(z.string(), z.union([z.string(), z.boolean()]));

export const recipeSchema = z.strictObject({
  model: z.string().min(1).optional(),
  /** The tokenizer's folder, where it is not the model's. */
  tokenizer: z.string().min(1).optional(),
  /** A source or a list of them. */
  data: z.preprocess(
    (value) => (value === undefined || Array.isArray(value) ? value : [value]),
    z.array(dataSource).min(1),
  ),
  onBadRow: z.enum(["error", "skip"]).default("error"),
  emptyCompletions: z.enum(["refuse", "keep"]).default("refuse"),
  template: z.union([z.string().min(1), templateStrings]).default("alpaca"),
  /** The assistant turns that are trained: all, the last, or their numbers from 1 (−1 is the last). */
  turns: z.union([z.enum(["all", "last"]), z.array(z.int())]).default("all"),
  loss: z
    .strictObject({
      promptLossWeight: z.union([weight, z.literal("auto")]).default("auto"),
      completionWeight: weight.optional(),
      perClass: z.partialRecord(z.enum(TOKEN_CLASSES), weight).optional(),
      normalization: z.string().optional(),
    })
    .default({ promptLossWeight: "auto" }),
  maxLength: z.int().min(2).optional(),
  overflow: z.enum(OVERFLOW_POLICIES).optional(),
  seed: z.int().default(0),
  training: z.looseObject({}).optional(),
  output: z.string().optional(),
});

export type Recipe = z.output<typeof recipeSchema>;
