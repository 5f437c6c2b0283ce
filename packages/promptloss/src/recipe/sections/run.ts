// The recipe's smaller sections: adapters, held-out evaluation, checkpoints, logging, probes.
import { z } from "zod";
import { LOSS_METRICS } from "../../loss/metrics.ts";
import { ADAPTER_KINDS, ADAPTER_TRAITS } from "../../models/config/adapters.ts";
import { STORAGES } from "../../models/config/storage.ts";
import { keyFacts } from "../key-facts.ts";
import { atMostOne } from "./rules.ts";
import { sourceList } from "./sources.ts";

const count = z.int().min(1);

const targets = z.array(z.string().min(1)).min(1).optional();

const base = z
  .enum(STORAGES)
  .optional()
  .describe(
    "How the frozen weights of linear modules are kept, for less memory: `nf4` in 4 bits as QLoRA, `int8` in 8, `as-stored` in a GGUF file's own blocks. Left out: in the precision of products.",
  );

const merge = z
  .boolean()
  .default(false)
  .describe("Writes the model with the adapter merged in, instead of the adapter alone.");

export const adapterSection = z
  .strictObject({
    kind: z
      .enum(ADAPTER_KINDS)
      .describe(
        "`lora`: low-rank pairs beside linear modules. `dora`: the same, with a magnitude for each output. `ia3`: factors of keys, values and the MLP's inner state. `prefix`: keys and values before every sequence. `bottleneck`: a narrow MLP behind attention and behind the MLP.",
      ),
    rank: count.optional().describe("Of `lora` and `dora`: the rank of the matrices. Left out: 8."),
    alpha: z
      .number()
      .positive()
      .optional()
      .describe("Of `lora` and `dora`: the output is scaled by alpha / rank. Left out: twice the rank."),
    dropout: z
      .number()
      .min(0)
      .lt(1)
      .optional()
      .describe("Of `lora` and `dora`: dropout of the input. Left out: 0."),
    rslora: z
      .boolean()
      .optional()
      .describe("Of `lora` and `dora`: scales by alpha / √rank instead (rsLoRA). Left out: false."),
    targets: targets.describe(
      "Of `lora`, `dora` and `ia3`: the linear modules that get an adapter, by name. Left out: all of every layer but a mixture's experts; of `ia3` keys, values and the MLP's output.",
    ),
    tokens: count
      .optional()
      .describe("Of `prefix`: how many tokens' keys and values there are. Left out: 20."),
    size: count.optional().describe("Of `bottleneck`: the width inside. Left out: 64."),
    base,
    merge,
  })
  .superRefine((section, context) => {
    const { keys, mergeable } = ADAPTER_TRAITS[section.kind];
    const refuse = (key: string, message: string): void =>
      context.addIssue({ code: "custom", path: [key], message });
    const all = new Set(ADAPTER_KINDS.flatMap((kind) => ADAPTER_TRAITS[kind].keys));
    for (const [key, value] of Object.entries(section))
      if (value !== undefined && all.has(key) && !keys.includes(key))
        refuse(key, `is no key of an adapter of kind ${section.kind}, which has ${keys.join(", ")}`);
    if (section.merge && !mergeable)
      refuse("merge", `no weights of the model can hold what an adapter of kind ${section.kind} does`);
  });

export const loraSection = z.strictObject({
  rank: count.default(8).describe("The rank of the adapter's matrices."),
  alpha: z
    .number()
    .positive()
    .optional()
    .describe("The adapter's output is scaled by alpha / rank. Left out: twice the rank."),
  dropout: z.number().min(0).lt(1).default(0).describe("Dropout of the adapter's input."),
  targets: targets.describe(
    "The linear modules that get an adapter, by name. Left out: all of every layer but a mixture's experts.",
  ),
  base,
  rslora: z.boolean().default(false).describe("Scales by alpha / √rank instead (rsLoRA)."),
  merge,
});

/** @param source the schema of a data source */
export function evaluationSection<S extends z.ZodType>(source: S) {
  return z
    .strictObject({
      data: sourceList(source)
        .optional()
        .describe("A file of held-out rows: the surest way to rows that share nothing with training rows.")
        .register(keyFacts, { affects: "data", path: true }),
      rows: count.optional().describe("How many rows are held out of the training data."),
      fraction: z
        .number()
        .gt(0)
        .lt(1)
        .optional()
        .describe("The share of the training data that is held out, in place of `rows`."),
      unit: z
        .enum(["group", "row"])
        .optional()
        .describe(
          "What `rows` and `fraction` draw: each `group` of rows that share an input, a prompt or a `group` field, or single rows. Left out: `group`.",
        ),
      every: z
        .union([count, z.literal("epoch")])
        .default("epoch")
        .describe("Steps between two evaluations. `epoch`: at the end of each epoch."),
      metric: z
        .enum(LOSS_METRICS)
        .default("completion_loss")
        .describe("The number that decides which evaluation is the best, for `patience` and `keepBest`."),
      patience: count
        .optional()
        .describe("Stops the run after this many evaluations in a row that are not better."),
      keepBest: z
        .boolean()
        .default(true)
        .describe("Writes the weights of the best evaluation. `false`: the last weights."),
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
    every: z
      .union([count, z.enum(["epoch", "never"])])
      .default("epoch")
      .describe("Steps between two checkpoints. `epoch`: at the end of each epoch."),
    keep: count.default(2).describe("How many of the newest checkpoints are kept."),
  })
  .prefault({});

export const SINKS = ["tensorboard", "mlflow", "wandb"] as const;

export const loggingSection = z
  .strictObject({
    reportTo: z
      .array(z.enum(SINKS))
      .default(["tensorboard"])
      .describe(
        "What the numbers are reported to: `tensorboard`, files in the run's folder; `mlflow`, a server; `wandb`, an offline run of Weights & Biases in the run's folder. `[]`: nothing.",
      ),
    project: z
      .string()
      .min(1)
      .optional()
      .describe(
        "MLflow's experiment, Weights & Biases' project. Left out: `MLFLOW_EXPERIMENT_NAME`, `WANDB_PROJECT`, else `promptloss`.",
      ),
    runName: z
      .string()
      .min(1)
      .optional()
      .describe("The run's name for `mlflow` and `wandb`. Left out: that of its folder."),
    tags: z
      .record(z.string().min(1), z.string())
      .default({})
      .describe("Tags of the run for `mlflow` and `wandb`."),
    mlflow: z
      .strictObject({
        trackingUri: z
          .string()
          .min(1)
          .optional()
          .describe("The server's address, without user or password. Left out: `MLFLOW_TRACKING_URI`."),
      })
      .optional()
      .describe("Where MLflow is."),
  })
  .prefault({})
  .superRefine(({ reportTo, project, runName, tags, mlflow }, context) => {
    if (new Set(reportTo).size < reportTo.length)
      context.addIssue({ code: "custom", path: ["reportTo"], message: "names one of them twice" });
    const useless = (key: string, message: string): void =>
      context.addIssue({ code: "custom", path: [key], message });
    if (mlflow !== undefined && !reportTo.includes("mlflow"))
      useless("mlflow", "is of mlflow, which reportTo does not name");
    if (reportTo.some((name) => name !== "tensorboard")) return;
    for (const [key, value] of Object.entries({ project, runName, tags: Object.keys(tags)[0] }))
      if (value !== undefined) useless(key, "is of mlflow and wandb, and reportTo names neither");
  });

/** @param source the schema of a data source */
export function probesSection<S extends z.ZodType>(source: S) {
  return z
    .strictObject({
      generations: z
        .strictObject({
          rows: count.default(100).describe("How many training prompts."),
          maxNewTokens: count.default(128).describe("The most tokens of a continuation."),
          before: z
            .boolean()
            .optional()
            .describe(
              "Lets the model that training began with continue them too, to read both side by side.",
            ),
        })
        .optional()
        .describe("Compares greedy continuations of training prompts with their completions."),
      forgetting: z
        .strictObject({
          text: sourceList(source)
            .optional()
            .describe("Texts that have nothing to do with the training data: their loss before and after."),
          tasks: z
            .array(z.string().min(1))
            .min(1)
            .optional()
            .describe("Evaluation tasks, by name or file: their scores before and after."),
          data: z
            .string()
            .min(1)
            .optional()
            .describe("The folder of the tasks' data. Left out: their datasets on the Hugging Face hub."),
          limit: count.optional().describe("The first so many items of each task. Left out: all."),
        })
        .superRefine(({ text, tasks, data, limit }, context) => {
          const refuse = (path: string[], message: string): void =>
            context.addIssue({ code: "custom", path, message });
          if (text === undefined && tasks === undefined) refuse([], "needs text, tasks or both");
          if (tasks !== undefined) return;
          for (const [key, value] of Object.entries({ data, limit }))
            if (value !== undefined) refuse([key], "is of tasks; there are none");
        })
        .optional()
        .describe(
          "Measures what training takes away: the model as it was against the model that is written.",
        ),
    })
    .prefault({});
}
