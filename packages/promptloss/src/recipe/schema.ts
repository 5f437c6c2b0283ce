// A recipe: the data, what its tokens are worth, and how a model is trained on it.
import { z } from "zod";
import { EMPTY_COMPLETIONS } from "../data/rows/empty-completions.ts";
import { FORMAT_NAMES } from "../data/rows/formats/row-format.ts";
import { OVERFLOW_POLICIES } from "../data/tokens/overflow.ts";
import { type KeyFacts, keyFacts } from "./key-facts.ts";
import { lossSection } from "./sections/loss.ts";
import { checkpointsSection, evaluationSection, loraSection, probesSection } from "./sections/run.ts";
import { sourceList } from "./sections/sources.ts";
import { trainingSection } from "./sections/training.ts";

/** A data source; its other keys are checked where it is read. */
const dataSource = z.looseObject({ path: z.string().min(1), format: z.enum(FORMAT_NAMES).optional() });

const DATA: KeyFacts = { affects: "data" };

const templateStrings = z.record(z.string(), z.union([z.string(), z.boolean()]));

export const recipeSchema = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .optional()
      .describe("The model's folder, as Hugging Face writes it.")
      .register(keyFacts, { affects: "result", path: true }),
    strict: z
      .boolean()
      .default(false)
      .describe("Refuse a model whose config has keys that are not known, in place of a note.")
      .register(keyFacts, { affects: "nothing" }),
    initialize: z
      .enum(["pretrained", "random"])
      .default("pretrained")
      .describe("Where the weights come from: the model's folder, or drawn anew for its config."),
    tokenizer: z
      .string()
      .min(1)
      .optional()
      .describe("The tokenizer's folder, where it is not the model's.")
      .register(keyFacts, { affects: "data", path: true }),
    data: sourceList(dataSource)
      .describe("A source or a list of them.")
      .register(keyFacts, { affects: "data", path: true }),
    onBadRow: z
      .enum(["error", "skip"])
      .default("error")
      .describe("Rows that can't be used stop the run, or are left out and counted.")
      .register(keyFacts, DATA),
    emptyCompletions: z
      .enum(EMPTY_COMPLETIONS)
      .default("skip")
      .describe("Rows with an empty completion are left out and counted, refused, or kept.")
      .register(keyFacts, DATA),
    maxRowBytes: z
      .int()
      .min(1)
      .optional()
      .describe("The most bytes that one row may take; 64 MiB where left out.")
      .register(keyFacts, DATA),
    template: z
      .union([z.string().min(1), templateStrings])
      .default("alpaca")
      .describe(
        "What rows are wrapped in: a named template, tokenizer for the model's own chat template, or strings of your own.",
      )
      .register(keyFacts, DATA),
    turns: z
      .union([z.enum(["all", "last"]), z.array(z.int())])
      .default("all")
      .describe(
        "The assistant turns that are trained: all, the last, or their numbers from 1 (−1 is the last).",
      )
      .register(keyFacts, DATA),
    rewrittenHistory: z
      .enum(["error", "split"])
      .optional()
      .describe(
        "With template: tokenizer, rows in which later turns change earlier ones: refused, or split into a row per completion.",
      )
      .register(keyFacts, DATA),
    templateVariables: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("With template: tokenizer, more variables for the chat template, such as enable_thinking.")
      .register(keyFacts, DATA),
    loss: lossSection.describe("What tokens are worth, and what their sum is divided by."),
    maxLength: z
      .int()
      .min(2)
      .optional()
      .describe("The most tokens of a row; the model's positions where left out."),
    overflow: z
      .enum(OVERFLOW_POLICIES)
      .optional()
      .describe("What becomes of longer rows; error where left out."),
    seed: z.int().default(0).describe("Of the order of rows, held-out rows, new weights and dropout."),
    training: trainingSection.describe("Length, batches, optimizer, regularizers, precision."),
    lora: loraSection.optional().describe("Train a low-rank adapter, with the model frozen."),
    evaluation: evaluationSection(dataSource)
      .optional()
      .describe("Rows that are measured and not trained on."),
    checkpoints: checkpointsSection
      .describe("What a run resumes from.")
      .register(keyFacts, { affects: "nothing" }),
    probes: probesSection
      .describe("What is measured of the trained model beside its loss.")
      .register(keyFacts, { affects: "measures" }),
    output: z
      .string()
      .min(1)
      .optional()
      .describe("The run's folder.")
      .register(keyFacts, { affects: "nothing" }),
  })
  .superRefine(({ lora, training, initialize }, context) => {
    const refuse = (path: string[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    if (lora === undefined) return;
    if (training.freeze) refuse(["training", "freeze"], "under lora all but the adapter is frozen already");
    if (training.minkowski)
      refuse(["training", "minkowski"], "penalizes the model's own weights, which lora leaves as they are");
    if (initialize === "random")
      refuse(["lora"], "an adapter on random weights learns little; leave one out");
  });

export type Recipe = z.output<typeof recipeSchema>;
