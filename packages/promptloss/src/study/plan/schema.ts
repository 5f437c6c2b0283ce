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
      .describe("The group that the task counts for in models and recommendations."),
    metric: z
      .string()
      .min(1)
      .optional()
      .describe("The metric that stands for the task in models. Left out: the task's own choice."),
    options: z.record(z.string(), z.json()).default({}).describe("The task's own settings."),
  }),
]);

const slurmSection = z.strictObject({
  partition: z.string().min(1).optional().describe("The partition that jobs are submitted to."),
  account: z.string().min(1).optional().describe("The account that jobs are charged to."),
  time: z
    .union([count, z.string().regex(/^(\d+-)?\d+(:\d{1,2}){0,2}$/, "a time, as 4:00:00 or 1-12:00:00")])
    .optional()
    .describe('The time limit of a cell, as Slurm writes it: "4:00:00", "1-12:00:00", or minutes.'),
  memory: z
    .string()
    .regex(/^\d+[KMGT]?$/, "an amount of memory, as 32G")
    .optional()
    .describe('The memory of a cell, as Slurm writes it: "32G".'),
  cpus: count.optional().describe("Processor cores per cell."),
  gpus: z.int().min(0).optional().describe("GPUs per cell."),
  concurrency: count.optional().describe("How many cells run at a time."),
  options: z
    .array(z.string().startsWith("--"))
    .default([])
    .describe('More options of sbatch, one per line, as "--constraint=a100".'),
  setup: z
    .array(z.string())
    .default([])
    .describe("Lines of shell that run before the cell: modules to load, variables to set."),
});

export const studySchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.-]+$/, "letters, digits, dots, dashes and underscores")
    .optional()
    .describe("The study's name. Left out: the file's name."),
  recipe: z
    .union([z.string().min(1), z.record(z.string(), z.json())])
    .describe("The base recipe: a file, by its path from this one, or the recipe itself."),
  set: assignments
    .default({})
    .describe("Recipe keys that change the base recipe for all cells, by dotted path."),
  factors: z
    .record(z.string().min(1), factor)
    .refine((all) => Object.keys(all).length > 0, "there is no factor")
    .describe("What varies: a recipe key for each factor, with its levels."),
  paired: z
    .array(z.array(z.string()).min(2))
    .default([])
    .describe(
      "Lists of factors whose levels go together, first with first, second with second. All other factors are crossed.",
    ),
  exclude: z
    .array(z.record(z.string(), z.union([label, z.array(label)])))
    .default([])
    .describe("Combinations that are left out; each names labels of some factors."),
  only: z
    .array(z.record(z.string(), z.union([label, z.array(label)])))
    .default([])
    .describe("The only combinations that are run, written as `exclude` is. Left out: all."),
  tasks: z.array(taskSchema).min(1).default(["held-out"]).describe("What every cell is evaluated on."),
  taskData: z
    .string()
    .min(1)
    .optional()
    .describe("The folder with the tasks' files. Left out: the tasks' datasets on the Hugging Face hub."),
  analysis: analysisSection.describe("How results are modeled."),
  output: z.string().min(1).optional().describe("The folder of cells and results. Left out: `runs/NAME`."),
  results: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A folder beside this file that gets a copy of the results, to be kept and passed on with the study file. Cells that it has are not run again.",
    ),
  keep: z
    .enum(["all", "model", "scores"])
    .default("model")
    .describe(
      "What is kept of a finished cell: `all`, without its checkpoints (`model`), or metrics and scores only (`scores`).",
    ),
  concurrency: count
    .default(1)
    .describe("How many cells run at a time on this machine. They share its cores evenly."),
  tokensPerSecond: z
    .number()
    .positive()
    .optional()
    .describe("The speed that plans assume until a cell has been measured."),
  slurm: slurmSection.optional().describe("What array jobs ask Slurm for."),
});

export type StudySettings = z.output<typeof studySchema>;
export type FactorSettings = StudySettings["factors"][string];
export type SlurmSettings = z.output<typeof slurmSection>;
