// The recipe's `training`: length, batches, optimiser, regularisers, precision.
import { z } from "zod";
import { SCHEDULES } from "../../training/schedule.ts";
import { keyFacts } from "../key-facts.ts";
import { atMostOne } from "./rules.ts";

const count = z.int().min(1);
const fraction = z.number().min(0).lt(1);

export const trainingSection = z
  .strictObject({
    /** Passes over the data; 3 where `steps` is left out too. */
    epochs: count.optional(),
    /** Optimiser steps. */
    steps: count.optional(),
    /** Rows an optimiser step; 32 where `batchTokens` is left out too. */
    batchSize: count.optional(),
    /** The most tokens an optimiser step. */
    batchTokens: count.optional(),
    /** Tokens computed at one time; 4,096 where `microBatchSize` is left out too. Changes memory, not results. */
    microBatchTokens: count.optional(),
    /** Rows computed at one time. */
    microBatchSize: count.optional(),
    order: z.enum(["random", "length"]).default("random"),
    learningRate: z.number().positive().default(2e-5),
    schedule: z.enum(SCHEDULES).default("cosine"),
    warmupRatio: z.number().min(0).max(1).optional(),
    warmupSteps: z.int().min(0).optional(),
    betas: z.tuple([fraction, fraction]).default([0.9, 0.999]),
    epsilon: z.number().positive().default(1e-8),
    weightDecay: z.number().nonnegative().default(0),
    /** The most that the norm of all gradients may be; null for no clipping. */
    maxGradNorm: z.number().positive().nullable().default(1),
    /** Of matrix products; weights and sums are float32. `auto` is bf16 where the processor has it. */
    precision: z.enum(["auto", "bf16", "fp32"]).default("auto"),
    gradientCheckpointing: z.boolean().default(false),
    /** For embedding, attention and residual, in place of the model's own. */
    dropout: fraction.optional(),
    /** NEFTune's α. */
    neftuneAlpha: z.number().positive().optional(),
    minkowski: z
      .strictObject({
        order: z.union([z.number().min(1), z.literal("infinity")]),
        coefficient: z.number().nonnegative(),
      })
      .optional(),
    kl: z.strictObject({ coefficient: z.number().nonnegative() }).optional(),
    /** Parameters that stay as they are: names with * for any part. */
    freeze: z.array(z.string().min(1)).optional(),
    /** Steps between two lines of the log. */
    logEvery: count.default(10).register(keyFacts, { affects: "nothing" }),
    device: z.string().default("auto").register(keyFacts, { affects: "result", machine: true }),
    threads: count.optional().register(keyFacts, { affects: "nothing" }),
  })
  .prefault({})
  .superRefine(atMostOne("epochs", "steps"))
  .superRefine(atMostOne("batchSize", "batchTokens"))
  .superRefine(atMostOne("microBatchSize", "microBatchTokens"))
  .superRefine(atMostOne("warmupRatio", "warmupSteps"));
