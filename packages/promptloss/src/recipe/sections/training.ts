// The recipe's `training`: length, batches, optimizer, regularizers, precision.
import { z } from "zod";
import { PRODUCT_DTYPES } from "../../dtypes.ts";
import { keyFacts } from "../key-facts.ts";
import { atMostOne } from "./rules.ts";

const count = z.int().min(1);
const fraction = z.number().min(0).lt(1);

export const trainingSection = z
  .strictObject({
    epochs: count.optional().describe("Passes over the data. Left out, with `steps` too: 3."),
    steps: count.optional().describe("The length in optimizer steps, in place of `epochs`."),
    batchSize: count.optional().describe("Rows per optimizer step. Left out, with `batchTokens` too: 32."),
    batchTokens: count.optional().describe("The most tokens per optimizer step, in place of `batchSize`."),
    microBatchTokens: count
      .optional()
      .describe(
        "The most tokens that are computed at one time. It changes memory, not results. Left out, with `microBatchSize` too: 4,096.",
      ),
    microBatchSize: count
      .optional()
      .describe("The most rows that are computed at one time, in place of `microBatchTokens`."),
    order: z
      .enum(["random", "length", "as-given"])
      .default("random")
      .describe(
        "Which rows form a step: `random` ones, rows of similar `length`, or rows `as-given`: every epoch in the order of the data.",
      ),
    learningRate: z.number().positive().default(2e-5).describe("The highest learning rate of the schedule."),
    schedule: z
      .enum(["constant", "linear", "cosine"])
      .default("cosine")
      .describe("How the learning rate falls after the warm-up."),
    warmupRatio: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe("The warm-up as a share of all steps: the learning rate rises from 0."),
    warmupSteps: z.int().min(0).optional().describe("The warm-up in steps, in place of `warmupRatio`."),
    betas: z.tuple([fraction, fraction]).default([0.9, 0.999]).describe("AdamW's β₁ and β₂."),
    epsilon: z.number().positive().default(1e-8).describe("AdamW's ε."),
    weightDecay: z
      .number()
      .nonnegative()
      .default(0)
      .describe("AdamW's decoupled weight decay. It applies to matrices only."),
    maxGradNorm: z
      .number()
      .positive()
      .nullable()
      .default(1)
      .describe("Gradients are scaled down to this norm, counted over all of them. `null`: no clipping."),
    precision: z
      .enum(["auto", ...PRODUCT_DTYPES])
      .default("auto")
      .describe(
        "The precision of matrix products. Weights and sums are float32. `auto`: bfloat16 where the processor has instructions for it.",
      ),
    gradientCheckpointing: z
      .boolean()
      .default(false)
      .describe("Computes activations twice instead of keeping them: less memory, more time."),
    dropout: fraction
      .optional()
      .describe("Dropout of embeddings, attention and residuals. Left out: the model's own."),
    neftuneAlpha: z
      .number()
      .positive()
      .optional()
      .describe("NEFTune: the size α of the noise on embeddings."),
    minkowski: z
      .strictObject({
        order: z.union([z.number().min(1), z.literal("infinity")]).describe("The order p of the norm."),
        coefficient: z.number().nonnegative().describe("The factor of the penalty in the loss."),
      })
      .optional()
      .describe("A penalty on the distance to the starting weights, by a Minkowski norm."),
    kl: z
      .strictObject({
        coefficient: z.number().nonnegative().describe("The factor of the penalty in the loss."),
      })
      .optional()
      .describe("A penalty on the divergence (KL) from the starting model's predictions."),
    freeze: z
      .array(z.string().min(1))
      .optional()
      .describe("Names of parameters that are not trained; `*` stands for any part of a name."),
    logEvery: count
      .default(10)
      .describe("Steps between two measurements of tokens of weight 0, which cost time.")
      .register(keyFacts, { affects: "nothing" }),
    device: z
      .string()
      .default("auto")
      .describe("`auto`, `cpu`, `cuda`, `cuda:1`, `mps`.")
      .register(keyFacts, { affects: "result", machine: true }),
    threads: count
      .optional()
      .describe("Threads on the processor. Left out: all, divided among `processes`.")
      .register(keyFacts, { affects: "nothing" }),
    processes: count
      .optional()
      .describe(
        "Processes on this machine that train one model together; each computes a share of every batch. Left out: 1. Leave it out under torchrun or srun. It changes results by rounding only, except with dropout and with `reduceOver: micro-batch`.",
      )
      .register(keyFacts, { affects: "nothing" }),
    sharding: z
      .enum(["none", "optimizer", "gradients", "full"])
      .default("none")
      .describe(
        "What processes that train together divide among them: the optimizer's state; that and gradients; those and the weights. Less memory a process, more to send; the output folder must be one that all of them see. Changes results by rounding only.",
      )
      .register(keyFacts, { affects: "nothing" }),
    processTimeout: z
      .number()
      .min(5)
      .max(86_400)
      .default(600)
      .describe("How long processes wait for each other before the run fails, in seconds.")
      .register(keyFacts, { affects: "nothing" }),
  })
  .prefault({})
  .superRefine(atMostOne("epochs", "steps"))
  .superRefine(atMostOne("batchSize", "batchTokens"))
  .superRefine(atMostOne("microBatchSize", "microBatchTokens"))
  .superRefine(atMostOne("warmupRatio", "warmupSteps"));
