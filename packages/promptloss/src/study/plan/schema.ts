// A study file: a base recipe, the factors that change it, the tasks that every cell is evaluated on, how the results
// are modeled, and where cells run.
import { z } from "zod";
import { taskGroups } from "../../statistics/choice/task-groups.ts";
import { analysisSection } from "../results/analysis.ts";

const count = z.int().min(1);
const label = z.union([z.string().min(1), z.number()]);
/** Recipe keys by their dotted paths. */
const assignments = z.record(
  z.string().regex(/^[^.\s]+(\.[^.\s]+)*$/, "a recipe key, as training.epochs"),
  z.json(),
);

const level = z.union([
  z.string(),
  z.number(),
  z.boolean(),
  z.strictObject({ label, value: z.json() }),
  z.strictObject({ label, set: assignments.default({}) }),
]);
const levels = z.array(level).min(1);

const grid = z.discriminatedUnion("grid", [
  z.strictObject({ grid: z.literal("paper"), key: z.string().optional() }),
  z.strictObject({
    grid: z.literal("wp"),
    key: z.string().optional(),
    points: z.int().min(2).max(1000),
    from: z.number().min(0).max(1).default(0).describe("The lowest and the highest w_p."),
    to: z.number().min(0).max(1).default(1),
  }),
]);

const factor = z.union([
  z.literal("paper"),
  levels,
  grid,
  z.strictObject({ key: z.string().min(1).optional(), levels }),
]);

export const taskSchema = z.union([
  z.string().min(1),
  z.strictObject({
    task: z.string().min(1),
    group: z
      .enum(taskGroups as [string, ...string[]])
      .optional()
      .describe("What it counts as in models and recommendations."),
    metric: z
      .string()
      .min(1)
      .optional()
      .describe("The metric that stands for the task in models; the task's own choice where left out."),
    options: z.record(z.string(), z.json()).default({}).describe("The task's own settings."),
  }),
]);

const slurmSection = z.strictObject({
  partition: z.string().min(1).optional(),
  account: z.string().min(1).optional(),
  time: z
    .union([count, z.string().regex(/^(\d+-)?\d+(:\d{1,2}){0,2}$/, "a time, as 4:00:00 or 1-12:00:00")])
    .optional()
    .describe('As Slurm writes it: "4:00:00", "1-12:00:00", or minutes.'),
  /** As Slurm writes it: "32G". */
  memory: z
    .string()
    .regex(/^\d+[KMGT]?$/, "an amount of memory, as 32G")
    .optional(),
  cpus: count.optional(),
  gpus: z.int().min(0).optional(),
  concurrency: count.optional().describe("Cells at a time."),
  options: z
    .array(z.string().startsWith("--"))
    .default([])
    .describe('More options of sbatch, a line each, as "--constraint=a100".'),
  setup: z
    .array(z.string())
    .default([])
    .describe("Lines of shell before the cell: modules to load, variables to set."),
});

export const studySchema = z.strictObject({
  /** The file's name where left out. */
  name: z
    .string()
    .regex(/^[\w.-]+$/, "letters, digits, dots, dashes and underscores")
    .optional(),
  recipe: z
    .union([z.string().min(1), z.record(z.string(), z.json())])
    .describe("The base recipe: a file beside this one, or the recipe itself."),
  set: assignments.default({}).describe("Keys of the base recipe that all cells change."),
  factors: z
    .record(z.string().min(1), factor)
    .refine((all) => Object.keys(all).length > 0, "there is no factor"),
  paired: z
    .array(z.array(z.string()).min(2))
    .default([])
    .describe("Factors whose levels go together one by one, in place of all combinations."),
  exclude: z
    .array(z.record(z.string(), z.union([label, z.array(label)])))
    .default([])
    .describe("Combinations that are left out: each gives labels for some factors."),
  only: z
    .array(z.record(z.string(), z.union([label, z.array(label)])))
    .default([])
    .describe("The combinations that are run, each by labels of some factors; all where left out."),
  tasks: z.array(taskSchema).min(1).default(["held-out"]),
  taskData: z
    .string()
    .min(1)
    .optional()
    .describe("The folder that the tasks' files are under, for tasks that read any."),
  analysis: analysisSection,
  output: z.string().min(1).optional().describe("Where cells and results are kept."),
  results: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A folder beside this file for one more copy of the results. Cells that it has are not run again, so that it can be kept and passed on with the study file.",
    ),
  keep: z
    .enum(["all", "model", "scores"])
    .default("model")
    .describe(
      "What stays of a finished cell: checkpoints and model, the model, or its metrics and scores alone.",
    ),
  concurrency: count.default(1).describe("Cells at a time on this machine."),
  tokensPerSecond: z.number().positive().optional().describe("For plans before a cell has been measured."),
  slurm: slurmSection.optional(),
});

export type StudySettings = z.output<typeof studySchema>;
export type FactorSettings = StudySettings["factors"][string];
export type SlurmSettings = z.output<typeof slurmSection>;
