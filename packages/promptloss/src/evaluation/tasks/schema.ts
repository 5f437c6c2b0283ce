// A task as a declarative file: where its rows are, how a row becomes an item, what is measured. Texts are Jinja
// templates over a row's fields, as in lm-evaluation-harness; lists are paths to fields.
import { z } from "zod";
import { EXAMPLE_ORDERS } from "./example-orders.ts";

/** Jinja over the row: "Question: {{question}}\nAnswer:". */
const template = z.string();
/** Dots lead into objects: "choices.text". */
const path = z.string().regex(/^[^\s{}]+$/, "expected a field's path, such as choices.text");

export const CHOICE_METRICS = ["acc", "acc_norm", "mc1", "mc2"] as const;
export const LIKELIHOOD_METRICS = ["acc", "log_likelihood", "perplexity"] as const;
export const TEXT_METRICS = [
  "bleu",
  "chrf",
  "chrf++",
  "ter",
  "rouge1",
  "rouge2",
  "rougeL",
  "rougeLsum",
  "exact_match",
  "f1",
] as const;
export const CONTRASTS = ["max", "acc", "diff"] as const;
export const CONTRAST_METRICS = ["bleu", "rouge1", "rouge2", "rougeL"].flatMap((metric) =>
  CONTRASTS.map((contrast) => `${metric}_${contrast}` as const),
);

/** A dataset of the Hugging Face hub, whose splits are named test, validation and train. */
const hub = z.strictObject({
  id: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/, "expected an id, as allenai/ai2_arc")
    .describe("The dataset's id, as `allenai/ai2_arc`."),
  config: z.string().optional().describe("The dataset's configuration."),
  revision: z.string().optional().describe("A branch, tag or commit."),
  row: path.optional().describe("The object inside each row that holds the fields, as `translation`."),
});

const data = z.strictObject({
  test: z.string().optional().describe("The file with the rows to evaluate, under the data folder."),
  validation: z.string().optional().describe("The file to evaluate where `test` is left out or missing."),
  train: z.string().optional().describe("The file that few-shot examples are drawn from."),
  fetch: z.string().optional().describe("What to fetch where a file is missing, in words, for the error."),
  hub: hub
    .optional()
    .describe(
      "The dataset on the Hugging Face hub that rows come from when no data folder is given. The splits that have a file above are read.",
    ),
});

const common = {
  task: z
    .string()
    .regex(/^[\w.+-]+$/, "expected letters, digits, dashes and underscores")
    .describe("The task's name."),
  about: z.string().optional().describe("A description for readers."),
  version: z.number().default(1).describe("The task's version. Scores record it."),
  data: data.describe("Where the rows are."),
  description: template.default("").describe("A text that stands before every prompt."),
  shots: z
    .int()
    .min(0)
    .default(0)
    .describe("How many examples stand before each item. `--shots` overrides it."),
  examples: z
    .union([z.enum(EXAMPLE_ORDERS), z.array(z.record(z.string(), z.unknown())).min(1)], {
      error: "expected drawn, first, or a list of rows",
    })
    .optional()
    .describe(
      "Which rows are examples: `drawn` for each item, the `first` of their split, or a list of rows. Left out: `drawn`.",
    ),
  fixedShots: z
    .boolean()
    .default(false)
    .describe("`true` for a task whose context has its examples already: it takes no others."),
  delimiter: z.string().default(" ").describe("The text between a context and what follows it."),
  shotDelimiter: z.string().default("\n\n").describe("The text between examples."),
};

const list = z.union([path, z.array(template).min(1)]);

const multipleChoice = z.strictObject({
  ...common,
  kind: z.literal("multiple-choice").describe("The kind of task."),
  context: z
    .union([template, z.array(template).min(2)])
    .describe(
      "The context, a Jinja template over the row. A list has one context for each choice; then `continuation` follows each of them.",
    ),
  choices: list
    .optional()
    .describe("The choices: the path of a field with a list of texts, or a list of templates."),
  continuation: template.optional().describe("With a list of contexts: what follows each of them."),
  gold: z
    .union([template, z.int().min(0)])
    .optional()
    .describe("The right choice: its number, counted from 0, or a template that gives it."),
  goldIn: z
    .union([path, z.array(z.string()).min(1)])
    .optional()
    .describe(
      "Where `gold` is a name and not a number: the names in the order of the choices, as a list or as a field's path.",
    ),
  labels: path
    .optional()
    .describe("In place of `gold`, where several choices may be right: the path of a list of 1 and 0."),
  metrics: z.array(z.enum(CHOICE_METRICS)).min(1).describe("What is measured."),
});

const likelihood = z.strictObject({
  ...common,
  kind: z.literal("likelihood").describe("The kind of task."),
  context: template.describe("The context, a Jinja template over the row."),
  completion: template.describe("The text whose likelihood is measured, a Jinja template."),
  metrics: z.array(z.enum(LIKELIHOOD_METRICS)).min(1).describe("What is measured."),
});

const generation = z.strictObject({
  ...common,
  kind: z.literal("generation").describe("The kind of task."),
  context: template.describe("The prompt, a Jinja template over the row."),
  reference: template.optional().describe("The reference, a Jinja template."),
  references: path
    .optional()
    .describe("In place of `reference`: the path of a list of references. The best match counts."),
  right: path
    .optional()
    .describe("The path of a list of right completions, for the metrics in `_max`, `_acc` and `_diff`."),
  wrong: path.optional().describe("The path of a list of wrong completions, for the same metrics."),
  until: z.array(z.string().min(1)).default([]).describe("Strings that end a completion."),
  maxNewTokens: z.int().min(1).default(256).describe("The most tokens of a completion."),
  metrics: z
    .array(z.enum([...TEXT_METRICS, ...CONTRAST_METRICS]))
    .min(1)
    .describe("What is measured."),
});

type Draft = z.output<typeof multipleChoice> | z.output<typeof likelihood> | z.output<typeof generation>;

function check(task: Draft, context: z.core.$RefinementCtx): void {
  const refuse = (message: string, key: string): void => {
    context.addIssue({ code: "custom", message, path: [key] });
  };
  if (task.data.test === undefined && task.data.validation === undefined)
    refuse("a task needs rows to evaluate: give test or validation", "data");
  if (task.fixedShots && task.shots > 0)
    refuse("a task whose examples are in its context takes none", "shots");
  if (task.fixedShots && task.examples !== undefined)
    refuse("a task whose examples are in its context takes none", "examples");
  if (Array.isArray(task.examples) && task.examples.length < task.shots)
    refuse(`lists ${task.examples.length} of the ${task.shots} rows that shots asks for`, "examples");
  if (task.kind === "multiple-choice") {
    const perChoice = Array.isArray(task.context);
    if (perChoice === (task.continuation === undefined))
      refuse("goes with a context for each choice, and only with that", "continuation");
    if (perChoice === (task.choices !== undefined))
      refuse("goes with one context, and only with that", "choices");
    if ((task.gold === undefined) === (task.labels === undefined))
      refuse("give gold or labels, one of the two", "gold");
    if (task.goldIn !== undefined && task.gold === undefined) refuse("goes with gold", "goldIn");
    if (task.labels === undefined && task.metrics.includes("mc2")) refuse("mc2 needs labels", "metrics");
    if (task.labels !== undefined && task.shots > 0) refuse("a task with labels takes none", "shots");
  }
  if (task.kind === "generation") {
    const contrasts = task.metrics.some((metric) => (CONTRAST_METRICS as readonly string[]).includes(metric));
    const texts = task.metrics.some((metric) => (TEXT_METRICS as readonly string[]).includes(metric));
    if (contrasts && (task.right === undefined || task.wrong === undefined))
      refuse("these metrics need right and wrong answers", "metrics");
    if (!contrasts && (task.right !== undefined || task.wrong !== undefined))
      refuse("no metric looks at right and wrong answers", "right");
    const given = [task.reference, task.references].filter((each) => each !== undefined).length;
    if (given !== (texts ? 1 : 0))
      refuse(texts ? "give reference or references, one of the two" : "no metric looks at it", "reference");
  }
}

export const taskSchema = z
  .discriminatedUnion("kind", [multipleChoice, likelihood, generation])
  .superRefine(check);

/** By kind, for hints about unknown keys. */
export const kindSchemas = { "multiple-choice": multipleChoice, likelihood, generation } as const;

/** Which rows of a split are examples: drawn anew for each item, or its first. */
export type ExampleOrder = (typeof EXAMPLE_ORDERS)[number];
/** A task, checked. */
export type EvaluationTask = z.output<typeof taskSchema>;
export type MultipleChoiceTask = z.output<typeof multipleChoice>;
export type LikelihoodTask = z.output<typeof likelihood>;
export type GenerationTask = z.output<typeof generation>;
