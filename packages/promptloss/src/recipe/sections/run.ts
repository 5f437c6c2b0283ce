// The recipe's smaller sections: LoRA, held-out evaluation, checkpoints, probes.
import { z } from "zod";
import { LOSS_METRICS } from "../../loss/metrics.ts";
import { keyFacts } from "../key-facts.ts";
import { atMostOne } from "./rules.ts";
import { sourceList } from "./sources.ts";

const count = z.int().min(1);

export const loraSection = z.strictObject({
  rank: count.default(8),
  /** Twice the rank where left out. */
  alpha: z.number().positive().optional(),
  dropout: z.number().min(0).lt(1).default(0),
  /** Names of linear modules; all of the layers where left out. */
  targets: z.array(z.string().min(1)).min(1).optional(),
  /** Scale by alpha / √rank (rsLoRA). */
  rslora: z.boolean().default(false),
  /** Write the model with the adapter merged in, in place of the adapter. */
  merge: z.boolean().default(false),
});

/** @param source the schema of a data source */
export const evaluationSection = <S extends z.ZodType>(source: S) =>
  z
    .strictObject({
      /** Held-out data of its own: the surest way to rows that are like no training row. */
      data: sourceList(source).optional().register(keyFacts, { affects: "data", path: true }),
      /** Rows held out of the training data. */
      rows: count.optional(),
      /** The share of the training data that is held out. */
      fraction: z.number().gt(0).lt(1).optional(),
      /** What `rows` and `fraction` draw: groups of rows that share an input, a prompt or a `group` field, or single rows. */
      unit: z.enum(["group", "row"]).optional(),
      /** Steps between two evaluations, or at the end of each epoch. */
      every: z.union([count, z.literal("epoch")]).default("epoch"),
      /** What makes one evaluation better than another: for `patience` and `keepBest`. */
      metric: z.enum(LOSS_METRICS).default("completion_loss"),
      /** Evaluations without a better one before the run stops. */
      patience: count.optional(),
      /** Write the weights of the best evaluation, in place of the last. */
      keepBest: z.boolean().default(true),
    })
    .superRefine(atMostOne("data", "rows"))
    .superRefine(atMostOne("data", "fraction"))
    .superRefine(atMostOne("rows", "fraction"))
    .superRefine(atMostOne("data", "unit"))
    .superRefine(({ data, rows, fraction }, context) => {
      if (data ?? rows ?? fraction) return;
      context.addIssue({ code: "custom", path: [], message: "needs data, rows or fraction" });
    });

export const checkpointsSection = z
  .strictObject({
    every: z.union([count, z.enum(["epoch", "never"])]).default("epoch"),
    /** How many of the newest stay. */
    keep: count.default(2),
  })
  .prefault({});

export const probesSection = z
  .strictObject({
    /** Greedy continuations of training prompts against their completions. */
    generations: z.strictObject({ rows: count.default(100), maxTokens: count.default(128) }).optional(),
  })
  .prefault({});
