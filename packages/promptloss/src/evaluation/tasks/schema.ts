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
  id: z.string().regex(/^[\w.-]+\/[\w.-]+$/, "expected an id, as allenai/ai2_arc"),
  config: z.string().optional(),
  revision: z.string().optional().describe("A branch, tag or commit."),
  row: path.optional().describe("The object inside a row that holds its fields."),
});

const data = z.strictObject({
  test: z
    .string()
    .optional()
    .describe(
      "Files under the data folder; the first of test and validation that a task has and that is there is evaluated.",
    ),
  validation: z.string().optional(),
  train: z.string().optional().describe("Examples of few-shot prompts are drawn from it."),
  fetch: z.string().optional().describe("What to fetch where a file is missing, in words."),
  hub: hub
    .optional()
    .describe("Where rows come from without a data folder: the splits that have a file above."),
});

const common = {
  task: z.string().regex(/^[\w.+-]+$/, "expected letters, digits, dashes and underscores"),
  about: z.string().optional().describe("For readers."),
  version: z.number().default(1),
  data,
  description: template.default("").describe("Put before everything, as it stands."),
  shots: z.int().min(0).default(0).describe("Examples before each item where the call says nothing."),
  examples: z
    .union([z.enum(EXAMPLE_ORDERS), z.array(z.record(z.string(), z.unknown())).min(1)], {
      error: "expected drawn, first, or a list of rows",
    })
    .optional()
    .describe(
      "Which rows are examples: drawn for each item, as where it is left out; the first of their split; or these rows, in this order.",
    ),
  fixedShots: z.boolean().default(false).describe("Tasks whose examples are in their context take none."),
  delimiter: z.string().default(" ").describe("Between a context and what follows it."),
  shotDelimiter: z.string().default("\n\n").describe("Between examples."),
};

const list = z.union([path, z.array(template).min(1)]);

const multipleChoice = z.strictObject({
  ...common,
  kind: z.literal("multiple-choice"),
  context: z
    .union([template, z.array(template).min(2)])
    .describe("One context; or one for each choice, which all take the same continuation."),
  /** A path to a list of texts, or templates. */
  choices: list.optional(),
  continuation: template.optional(),
  gold: z
    .union([template, z.int().min(0)])
    .optional()
    .describe("The right choice: its number, counted from 0, as a template or as it stands."),
  goldIn: z
    .union([path, z.array(z.string()).min(1)])
    .optional()
    .describe("What the right choice is looked up in, where gold is a name rather than a number."),
  labels: path.optional().describe("A path to a list of 1 and 0, where several choices are right."),
  metrics: z.array(z.enum(CHOICE_METRICS)).min(1),
});

const likelihood = z.strictObject({
  ...common,
  kind: z.literal("likelihood"),
  context: template,
  completion: template,
  metrics: z.array(z.enum(LIKELIHOOD_METRICS)).min(1),
});

const generation = z.strictObject({
  ...common,
  kind: z.literal("generation"),
  context: template,
  reference: template.optional().describe("A template, or a path to a list of which the best counts."),
  references: path.optional(),
  right: path.optional().describe("Right and wrong answers: paths to lists."),
  wrong: path.optional(),
  until: z.array(z.string().min(1)).default([]).describe("Strings that end an answer."),
  maxNewTokens: z.int().min(1).default(256),
  metrics: z.array(z.enum([...TEXT_METRICS, ...CONTRAST_METRICS])).min(1),
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
