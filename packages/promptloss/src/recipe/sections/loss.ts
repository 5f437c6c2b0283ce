// The recipe's `loss`: what a token is worth, and how the sum is divided.
import { z } from "zod";
import { TOKEN_CLASSES } from "../../data/example.ts";
import type { WeightPolicy } from "../../data/tokens/weight-policy.ts";
import { weightProblems } from "../../data/tokens/weight-range.ts";
import { NORMALIZATIONS } from "../../loss/normalization.ts";
import type { ReweightingName } from "../../loss/reweighting.ts";

/** Which are allowed, `weightProblems` says. */
const weight = z.number();

const reweightings = ["dft"] as const satisfies readonly ReweightingName[];

export const lossSection = z
  .strictObject({
    promptLossWeight: z
      .union([weight, z.literal("auto")])
      .default("auto")
      .describe(
        "The weight of prompt tokens, from 0 (masked) to 1 (the same as completions). `auto` predicts it from the data.",
      ),
    completionWeight: weight.optional().describe("The weight of completion tokens. Left out: 1."),
    perClass: z
      .partialRecord(z.enum(TOKEN_CLASSES), weight)
      .optional()
      .describe(
        `Weights of single token classes: ${TOKEN_CLASSES.map((name) => `\`${name}\``).join(", ")}. They override the two weights above.`,
      ),
    allowAnyWeight: z.boolean().optional().describe("Allows weights above 1, and completions of weight 0."),
    normalization: z
      .enum(NORMALIZATIONS)
      .default("weight-sum")
      .describe("What the weighted sum of token losses is divided by."),
    ownDenominator: z
      .union([z.literal("all"), z.array(z.enum(TOKEN_CLASSES)).min(1)])
      .optional()
      .describe(
        "Token classes that are divided by their own number of tokens, or `all`. `normalization` holds for the others.",
      ),
    reduceOver: z
      .enum(["batch", "micro-batch"])
      .default("batch")
      .describe(
        "What the normalization counts over: the `batch` of an optimizer step, or each `micro-batch` by itself, and then the mean.",
      ),
    labelSmoothing: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe("The share of the target probability that is spread evenly over the vocabulary."),
    reweighting: z
      .enum(reweightings)
      .optional()
      .describe(
        "Factors from the model's own predictions: `dft` multiplies each token's loss by the token's probability.",
      ),
  })
  .prefault({})
  .superRefine(({ normalization, ...section }, context) => {
    const { promptLossWeight, completionWeight, perClass, allowAnyWeight } = section;
    const weights = { promptLossWeight, completionWeight, perClass, allowAnyWeight } as WeightPolicy;
    for (const { field, message } of weightProblems(weights))
      context.addIssue({ code: "custom", path: field.split("."), message });
    if (normalization === "loss-share" && typeof promptLossWeight === "number" && promptLossWeight > 1)
      context.addIssue({
        code: "custom",
        path: ["promptLossWeight"],
        message: "under loss-share it is the prompt's share of the loss, at most 1",
      });
  });
