// A study file: a base recipe, the factors that change it, the tasks that every cell is evaluated on, how the results
// are modelled, and where cells run.
import { z } from "zod";
import { taskGroups } from "../../statistics/index.ts";
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
    /** The lowest and the highest w_p. */
    from: z.number().min(0).max(1).default(0),
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
    /** What it counts as in models and recommendations. */
    group: z.enum(taskGroups as [string, ...string[]]).optional(),
    /** The metric that stands for the task in models; the task's own choice where left out. */
    metric: z.string().min(1).optional(),
    /** The task's own settings. */
    options: z.record(z.string(), z.json()).default({}),
  }),
]);

const slurmSection = z.strictObject({
  partition: z.string().min(1).optional(),
  account: z.string().min(1).optional(),
  /** As Slurm writes it: "4:00:00", "1-12:00:00", or minutes. */
  time: z
    .union([count, z.string().regex(/^(\d+-)?\d+(:\d{1,2}){0,2}$/, "a time, as 4:00:00 or 1-12:00:00")])
    .optional(),
  /** As Slurm writes it: "32G". */
  memory: z
    .string()
    .regex(/^\d+[KMGT]?$/, "an amount of memory, as 32G")
    .optional(),
  cpus: count.optional(),
  gpus: z.int().min(0).optional(),
  /** Cells at a time. */
  concurrency: count.optional(),
  /** More options of sbatch, a line each, as "--constraint=a100". */
  options: z.array(z.string().startsWith("--")).default([]),
  /** Lines of shell before the cell: modules to load, variables to set. */
  setup: z.array(z.string()).default([]),
});

export const studySchema = z.strictObject({
  /** The file's name where left out. */
  name: z
    .string()
    .regex(/^[\w.-]+$/, "letters, digits, dots, dashes and underscores")
    .optional(),
  /** The base recipe: a file beside this one, or the recipe itself. */
  recipe: z.union([z.string().min(1), z.record(z.string(), z.json())]),
  /** Keys of the base recipe that all cells change. */
  set: assignments.default({}),
  factors: z
    .record(z.string().min(1), factor)
    .refine((all) => Object.keys(all).length > 0, "there is no factor"),
  /** Factors whose levels go together one by one, in place of all combinations. */
  paired: z.array(z.array(z.string()).min(2)).default([]),
  /** Combinations that are left out: each gives labels for some factors. */
  exclude: z.array(z.record(z.string(), z.union([label, z.array(label)]))).default([]),
  /** The combinations that are run, each by labels of some factors; all where left out. */
  only: z.array(z.record(z.string(), z.union([label, z.array(label)]))).default([]),
  tasks: z.array(taskSchema).min(1).default(["held-out"]),
  /** The folder that the tasks' files are under, for tasks that read any. */
  taskData: z.string().min(1).optional(),
  analysis: analysisSection,
  /** Where cells and results are kept. */
  output: z.string().min(1).optional(),
  /** What stays of a finished cell: checkpoints and model, the model, or its metrics and scores alone. */
  keep: z.enum(["all", "model", "scores"]).default("model"),
  /** Cells at a time on this machine. */
  concurrency: count.default(1),
  /** For plans before a cell has been measured. */
  tokensPerSecond: z.number().positive().optional(),
  slurm: slurmSection.optional(),
});

export type StudySettings = z.output<typeof studySchema>;
export type FactorSettings = StudySettings["factors"][string];
export type SlurmSettings = z.output<typeof slurmSection>;
