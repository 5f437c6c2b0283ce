// A recipe: the data, what its tokens are worth, and how a model is trained on it.
import { z } from "zod";
import { EMPTY_COMPLETIONS, FORMAT_NAMES } from "../data/rows/index.ts";
import { OVERFLOW_POLICIES } from "../data/tokens/index.ts";
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
    model: z.string().min(1).optional().register(keyFacts, { affects: "result", path: true }),
    /** Where the weights come from: the model's folder, or drawn anew for its config. */
    initialize: z.enum(["pretrained", "random"]).default("pretrained"),
    /** The tokenizer's folder, where it is not the model's. */
    tokenizer: z.string().min(1).optional().register(keyFacts, { affects: "data", path: true }),
    /** A source or a list of them. */
    data: sourceList(dataSource).register(keyFacts, { affects: "data", path: true }),
    onBadRow: z.enum(["error", "skip"]).default("error").register(keyFacts, DATA),
    emptyCompletions: z.enum(EMPTY_COMPLETIONS).default("skip").register(keyFacts, DATA),
    /** The most bytes that one row may take; 64 MiB where left out. */
    maxRowBytes: z.int().min(1).optional().register(keyFacts, DATA),
    template: z
      .union([z.string().min(1), templateStrings])
      .default("alpaca")
      .register(keyFacts, DATA),
    /** The assistant turns that are trained: all, the last, or their numbers from 1 (−1 is the last). */
    turns: z
      .union([z.enum(["all", "last"]), z.array(z.int())])
      .default("all")
      .register(keyFacts, DATA),
    /** With template: tokenizer, rows in which later turns change earlier ones: refused, or split, a row an answer. */
    rewrittenHistory: z.enum(["error", "split"]).optional().register(keyFacts, DATA),
    /** With template: tokenizer, more variables for the chat template, such as enable_thinking. */
    templateVariables: z.record(z.string(), z.unknown()).optional().register(keyFacts, DATA),
    loss: lossSection,
    maxLength: z.int().min(2).optional(),
    overflow: z.enum(OVERFLOW_POLICIES).optional(),
    seed: z.int().default(0),
    training: trainingSection,
    lora: loraSection.optional(),
    evaluation: evaluationSection(dataSource).optional(),
    checkpoints: checkpointsSection.register(keyFacts, { affects: "nothing" }),
    probes: probesSection.register(keyFacts, { affects: "measures" }),
    /** The run's folder. */
    output: z.string().min(1).optional().register(keyFacts, { affects: "nothing" }),
  })
  .superRefine(({ lora, training, initialize }, context) => {
    const refuse = (path: string[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    if (lora === undefined) return;
    if (training.freeze) refuse(["training", "freeze"], "under lora all but the adapter is frozen already");
    if (training.minkowski)
      refuse(["training", "minkowski"], "penalises the model's own weights, which lora leaves as they are");
    if (initialize === "random")
      refuse(["lora"], "an adapter on random weights learns little; leave one out");
  });

export type Recipe = z.output<typeof recipeSchema>;
