// The recipe's `training`: length, batches, optimizer, regularizers, precision.
import { z } from "zod";
import { PRODUCT_DTYPES } from "../../dtypes.ts";
import { keyFacts } from "../key-facts.ts";
import { atMostOne } from "./rules.ts";

const count = z.int().min(1);
const fraction = z.number().min(0).lt(1);

export const trainingSection = z
  .strictObject({
    epochs: count.optional().describe("Passes over the data; 3 where `steps` is left out too."),
    steps: count.optional().describe("Optimizer steps."),
    batchSize: count.optional().describe("Rows an optimizer step; 32 where `batchTokens` is left out too."),
    batchTokens: count.optional().describe("The most tokens an optimizer step."),
    microBatchTokens: count
      .optional()
      .describe(
        "Tokens computed at one time; 4,096 where `microBatchSize` is left out too. Changes memory, not results.",
      ),
    microBatchSize: count.optional().describe("Rows computed at one time."),
    order: z
      .enum(["random", "length", "as-given"])
      .default("random")
      .describe(
        "Rows of a step drawn from all, of similar length, or in the order of the data in every epoch.",
      ),
    learningRate: z.number().positive().default(2e-5).describe("The highest of the schedule."),
    schedule: z
      .enum(["constant", "linear", "cosine"])
      .default("cosine")
      .describe("How the learning rate falls after the warm-up."),
    warmupRatio: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .describe("The share of the steps in which the learning rate rises."),
    warmupSteps: z.int().min(0).optional().describe("The steps in which the learning rate rises."),
    betas: z.tuple([fraction, fraction]).default([0.9, 0.999]).describe("AdamW's β₁ and β₂."),
    epsilon: z.number().positive().default(1e-8).describe("AdamW's ε."),
    weightDecay: z.number().nonnegative().default(0).describe("AdamW's decoupled weight decay."),
    maxGradNorm: z
      .number()
      .positive()
      .nullable()
      .default(1)
      .describe("The most that the norm of all gradients may be; null for no clipping."),
    precision: z
      .enum(["auto", ...PRODUCT_DTYPES])
      .default("auto")
      .describe(
        "Of matrix products; weights and sums are float32. `auto` is bfloat16 where the processor has it.",
      ),
    gradientCheckpointing: z
      .boolean()
      .default(false)
      .describe("Compute activations twice in place of keeping them: less memory, more time."),
    dropout: fraction
      .optional()
      .describe("For embedding, attention and residual, in place of the model's own."),
    neftuneAlpha: z.number().positive().optional().describe("NEFTune's α."),
    minkowski: z
      .strictObject({
        order: z.union([z.number().min(1), z.literal("infinity")]),
        coefficient: z.number().nonnegative(),
      })
      .optional(),
    kl: z.strictObject({ coefficient: z.number().nonnegative() }).optional(),
    freeze: z
      .array(z.string().min(1))
      .optional()
      .describe("Parameters that stay as they are: names with * for any part."),
    logEvery: count
      .default(10)
      .describe("Steps between two lines of the log.")
      .register(keyFacts, { affects: "nothing" }),
    device: z
      .string()
      .default("auto")
      .describe("auto, cpu, cuda, cuda:1, mps.")
      .register(keyFacts, { affects: "result", machine: true }),
    threads: count
      .optional()
      .describe("Of the processor; all where left out, divided among `processes`.")
      .register(keyFacts, { affects: "nothing" }),
    processes: count
      .optional()
      .describe(
        "Processes of this machine that train together, each a share of every batch; 1 where left out. A launcher, torchrun or srun, says so itself. Changes results by rounding only, but for masks of dropout and for `reduceOver: micro-batch`.",
      )
      .register(keyFacts, { affects: "nothing" }),
    processTimeout: z
      .number()
      .min(5)
      .max(86_400)
      .default(600)
      .describe("Seconds that processes wait for each other before the run fails.")
      .register(keyFacts, { affects: "nothing" }),
  })
  .prefault({})
  .superRefine(atMostOne("epochs", "steps"))
  .superRefine(atMostOne("batchSize", "batchTokens"))
  .superRefine(atMostOne("microBatchSize", "microBatchTokens"))
  .superRefine(atMostOne("warmupRatio", "warmupSteps"));
