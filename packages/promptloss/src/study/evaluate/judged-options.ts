// What a study file says of a judged task: the answers that a cell's are compared with, who judges, how both decode.
// Loads neither the engine nor a client.
import { z } from "zod";
import { WEIGHT_DTYPES } from "../../dtypes.ts";
import { type JudgeSettings, judgeKind, strayKeys } from "../../evaluation/judges/judge-settings.ts";
import { REPETITION_PENALTY } from "../../generation/options.ts";
import { STORAGES } from "../../models/config/storage.ts";

const count = z.int().min(1);

const dtype = z.enum(WEIGHT_DTYPES);

const judgeSchema = z
  .strictObject({
    endpoint: z.string().min(1).optional(),
    model: z.string().min(1).optional(),
    apiKeyEnv: z.string().min(1).optional(),
    concurrency: count.optional(),
    requestsPerMinute: count.optional(),
    retries: z.int().min(0).optional(),
    timeout: z.number().positive().optional(),
    body: z.record(z.string(), z.json()).optional(),
    folder: z.string().min(1).optional(),
    adapter: z.string().min(1).optional(),
    template: z.string().min(1).optional(),
    batchSize: count.optional(),
    dtype: dtype.optional(),
    storage: z.enum(STORAGES).optional(),
    device: z.string().min(1).optional(),
    strict: z.boolean().optional(),
  } satisfies Record<keyof JudgeSettings, z.ZodType>)
  .superRefine((judge, context) => {
    const refuse = (path: string[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    if (judgeKind(judge) === undefined) refuse([], "is an endpoint or a folder: give one of the two");
    else for (const { key, needs } of strayKeys(judge)) refuse([key], `belongs to a judge's ${needs}`);
  });

export const judgedOptionsSchema = z.strictObject({
  /** The folder that the task's files are under. */
  data: z.string().min(1).optional(),
  /** Rows with instruction, output and perhaps input: a file, from the folder of the data where it is not here. */
  reference: z.string().min(1),
  judge: judgeSchema,
  /** The first so many rows. */
  limit: count.optional(),
  /** Of the order in which answers stand; 0 where left out. */
  seed: z.int().min(0).optional(),
  /** Of the cell's answers. */
  maxNewTokens: count.optional(),
  beams: count.optional(),
  repetitionPenalty: z.number().min(REPETITION_PENALTY.least).max(REPETITION_PENALTY.most).optional(),
  /** Of the cell's model. */
  dtype: dtype.optional(),
  device: z.string().min(1).optional(),
});

export type JudgedOptions = z.output<typeof judgedOptionsSchema>;

export const JUDGED_TASKS = ["alpaca-eval", "pandalm"] as const;
export type JudgedTask = (typeof JUDGED_TASKS)[number];
