// The recipe's `loss`: what a token is worth, and how the sum is divided.
import { z } from "zod";
import { TOKEN_CLASSES } from "../../data/example.ts";
import { PROMPT_OBJECTIVES } from "../../data/tokens/prompt-objective.ts";
import type { WeightPolicy } from "../../data/tokens/weight-policy.ts";
import { weightProblems } from "../../data/tokens/weight-range.ts";
import { NORMALIZATIONS } from "../../loss/normalization.ts";
import {
  needsReference,
  REWEIGHTING_NAMES,
  REWEIGHTING_RULES,
  type ReweightingName,
  type ReweightingSettings,
  reweightingRule,
} from "../../loss/reweighting-rules.ts";
import { keyFacts } from "../key-facts.ts";

/** Which are allowed, `weightProblems` says. */
const weight = z.number();

/** "infosft: 0.93", of the rules that take an option. */
function defaultsOf(option: string): string {
  const takers = REWEIGHTING_NAMES.filter((name) => option in REWEIGHTING_RULES[name].options);
  return takers
    .map((name) => `${name}: ${(REWEIGHTING_RULES[name].options as Record<string, unknown>)[option]}`)
    .join(", ");
}

const reweightingOptions = z.strictObject({
  confidence: z
    .number()
    .gt(0.5)
    .lt(1)
    .optional()
    .describe(
      `The probability from which on a token counts as known and is not trained. Left out: ${defaultsOf("confidence")}.`,
    ),
  topTokens: z
    .int()
    .min(2)
    .optional()
    .describe(`How many of the likeliest tokens the entropy is of. Left out: ${defaultsOf("topTokens")}.`),
  exponent: z
    .number()
    .positive()
    .optional()
    .describe(`The power to which the entropy is raised. Left out: ${defaultsOf("exponent")}.`),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe(
      `The least probability (prift-mass: of the token and all below it) of a token that is trained. Left out: ${defaultsOf("threshold")}.`,
    ),
  ratio: z
    .number()
    .gt(0)
    .max(1)
    .optional()
    .describe(`The share of a batch's tokens that are trained. Left out: ${defaultsOf("ratio")}.`),
  predictions: z
    .enum(["model", "reference"])
    .optional()
    .describe(
      "Whose predictions a rule looks at that takes either: those of the `model` in training, or of the `reference`. Left out: `model`.",
    ),
  reference: z
    .string()
    .min(1)
    .optional()
    .describe("The reference model's folder. Left out: `model` as it is before training; rho-1 needs one.")
    .register(keyFacts, { affects: "result", path: true }),
});

type Options = z.output<typeof reweightingOptions>;

const WHOSE = {
  model: "the model in training",
  reference: "the reference model",
  both: "both models",
} as const;

/** Keys that a rule does not take, and what it needs and does not have. */
function optionProblems(
  rule: ReweightingName | undefined,
  options: Options,
): { key: string; message: string }[] {
  const given = Object.keys(options).filter((key) => options[key as keyof Options] !== undefined);
  if (rule === undefined)
    return given.map((key) => ({ key, message: "is of a rule; there is no loss.reweighting" }));
  const { predictions, options: own } = reweightingRule(rule);
  const problem = (key: string): string | undefined => {
    if (key === "predictions")
      return predictions === "either"
        ? undefined
        : `${rule} looks at predictions of ${WHOSE[predictions]} alone`;
    if (key === "reference")
      return needsReference({ rule, predictions: options.predictions })
        ? undefined
        : `${rule} looks at no reference model here; ${predictions === "either" ? "it does with predictions: reference" : "prift-prob and prift-mass do"}`;
    if (key in own) return undefined;
    const names = Object.keys(own);
    return `${rule} does not take it; it takes ${names.length === 0 ? "no numbers" : names.join(", ")}`;
  };
  const problems = given.flatMap((key) => {
    const message = problem(key);
    return message === undefined ? [] : [{ key, message }];
  });
  if (predictions === "both" && options.reference === undefined)
    problems.push({
      key: "reference",
      message: `${rule} needs a reference model: one that was trained on data as these should be`,
    });
  return problems;
}

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
    promptObjective: z
      .enum(PROMPT_OBJECTIVES)
      .optional()
      .describe(
        "Of a model with an encoder, what the prompt's loss is: `none`, the decoder predicts completions alone; `denoise`, it restores spans taken out of the prompt, as T5's pretraining; `reconstruct`, it writes the prompt before the completion. Left out: `none`. A decoder predicts its prompt as it is and takes no objective.",
      ),
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
      .enum(REWEIGHTING_NAMES)
      .optional()
      .describe(
        "A factor on each token's loss from a model's own predictions, by a rule of the literature: `dft`, `infosft`, `eaft` and `profit` look at the model in training, `prift-prob` and `prift-mass` at the model before training, `rho-1` at both the model and a reference model.",
      ),
    reweightingOptions: reweightingOptions.optional().describe("What the rule of `reweighting` leaves open."),
  })
  .prefault({})
  .superRefine(({ normalization, reweighting, reweightingOptions, ...section }, context) => {
    for (const { key, message } of optionProblems(reweighting, reweightingOptions ?? {}))
      context.addIssue({ code: "custom", path: ["reweightingOptions", key], message });
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

/** The rule of a recipe's loss with its options, and the reference model's folder where one is named. */
export function reweightingSettings({
  reweighting: rule,
  reweightingOptions = {},
}: Pick<z.output<typeof lossSection>, "reweighting" | "reweightingOptions">):
  | (ReweightingSettings & { readonly reference: string | undefined })
  | undefined {
  if (rule === undefined) return undefined;
  const { predictions, reference, ...given } = reweightingOptions;
  const options = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { rule, options, predictions, reference };
}
