// The recipe's smaller sections: LoRA, held-out evaluation, checkpoints, probes.
import { z } from "zod";
import { LOSS_METRICS } from "../../loss/metrics.ts";
import { keyFacts } from "../key-facts.ts";
import { atMostOne } from "./rules.ts";
import { sourceList } from "./sources.ts";

const count = z.int().min(1);

export const loraSection = z.strictObject({
  rank: count.default(8),
  alpha: z.number().positive().optional().describe("Twice the rank where left out."),
  dropout: z.number().min(0).lt(1).default(0),
  targets: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe("Names of linear modules; all of the layers where left out."),
  rslora: z.boolean().default(false).describe("Scale by alpha / √rank (rsLoRA)."),
  merge: z
    .boolean()
    .default(false)
    .describe("Write the model with the adapter merged in, in place of the adapter."),
});

/** @param source the schema of a data source */
export function evaluationSection<S extends z.ZodType>(source: S) {
  return z
    .strictObject({
      data: sourceList(source)
        .optional()
        .describe("Held-out data of its own: the surest way to rows that are like no training row.")
        .register(keyFacts, { affects: "data", path: true }),
      rows: count.optional().describe("Rows held out of the training data."),
      fraction: z
        .number()
        .gt(0)
        .lt(1)
        .optional()
        .describe("The share of the training data that is held out."),
      unit: z
        .enum(["group", "row"])
        .optional()
        .describe(
          "What `rows` and `fraction` draw: groups of rows that share an input, a prompt or a `group` field, or single rows.",
        ),
      every: z
        .union([count, z.literal("epoch")])
        .default("epoch")
        .describe("Steps between two evaluations, or at the end of each epoch."),
      metric: z
        .enum(LOSS_METRICS)
        .default("completion_loss")
        .describe("What makes one evaluation better than another: for `patience` and `keepBest`."),
      patience: count.optional().describe("Evaluations without a better one before the run stops."),
      keepBest: z
        .boolean()
        .default(true)
        .describe("Write the weights of the best evaluation, in place of the last."),
    })
    .superRefine(atMostOne("data", "rows"))
    .superRefine(atMostOne("data", "fraction"))
    .superRefine(atMostOne("rows", "fraction"))
    .superRefine(atMostOne("data", "unit"))
    .superRefine(({ data, rows, fraction }, context) => {
      if (data ?? rows ?? fraction) return;
      context.addIssue({ code: "custom", path: [], message: "needs data, rows or fraction" });
    });
}

export const checkpointsSection = z
  .strictObject({
    every: z.union([count, z.enum(["epoch", "never"])]).default("epoch"),
    keep: count.default(2).describe("How many of the newest stay."),
  })
  .prefault({});

export const probesSection = z
  .strictObject({
    generations: z
      .strictObject({ rows: count.default(100), maxNewTokens: count.default(128) })
      .optional()
      .describe("Greedy continuations of training prompts against their completions."),
  })
  .prefault({});
