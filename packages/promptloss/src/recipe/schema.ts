// A recipe: the data, what its tokens are worth, and how a model is trained on it.
import { z } from "zod";
import { EMPTY_COMPLETIONS } from "../data/rows/empty-completions.ts";
import { FORMAT_NAMES } from "../data/rows/formats/row-format.ts";
import { OVERFLOW_POLICIES } from "../data/tokens/overflow.ts";
import { needsReference } from "../loss/reweighting-rules.ts";
import { ADAPTER_TRAITS } from "../models/config/adapters.ts";
import { type KeyFacts, keyFacts } from "./key-facts.ts";
import { lossSection, reweightingSettings } from "./sections/loss.ts";
import {
  adapterSection,
  checkpointsSection,
  evaluationSection,
  loggingSection,
  loraSection,
  probesSection,
} from "./sections/run.ts";
import { sourceList } from "./sections/sources.ts";
import { trainingSection } from "./sections/training.ts";

/** A data source; its other keys are checked where it is read. */
const dataSource = z.looseObject({ path: z.string().min(1), format: z.enum(FORMAT_NAMES).optional() });

const DATA: KeyFacts = { affects: "data" };

const templateStrings = z.record(z.string(), z.union([z.string(), z.boolean()]));

export const recipeSchema = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .optional()
      .describe(
        "The model: a folder in Hugging Face's format, a GGUF file, or a name on the hub, `owner/name` or `owner/name@revision`.",
      )
      .register(keyFacts, { affects: "result", path: true }),
    strict: z
      .boolean()
      .default(false)
      .describe("Refuses a model whose config has unknown keys. `false`: a note names them.")
      .register(keyFacts, { affects: "nothing" }),
    initialize: z
      .enum(["pretrained", "random"])
      .default("pretrained")
      .describe(
        "Where the first weights come from: `pretrained` reads them from the folder, `random` draws new ones for its config.",
      ),
    tokenizer: z
      .string()
      .min(1)
      .optional()
      .describe("The tokenizer's folder. Left out: the model's folder.")
      .register(keyFacts, { affects: "data", path: true }),
    data: sourceList(dataSource)
      .describe("The training data: a path, a source with keys of its own, or a list of either.")
      .register(keyFacts, { affects: "data", path: true }),
    onBadRow: z
      .enum(["error", "skip"])
      .default("error")
      .describe(
        "What happens to a row that can't be used: `error` stops the run, `skip` leaves the row out and counts it.",
      )
      .register(keyFacts, DATA),
    emptyCompletions: z
      .enum(EMPTY_COMPLETIONS)
      .default("skip")
      .describe(
        "Rows with an empty completion: `skip` leaves them out and counts them, `refuse` makes them bad rows, `keep` trains the model to stop at once.",
      )
      .register(keyFacts, DATA),
    maxRowBytes: z
      .int()
      .min(1)
      .optional()
      .describe("A row of more bytes is a bad row. Left out: 64 MiB.")
      .register(keyFacts, DATA),
    maxUnpackedBytes: z
      .int()
      .min(1)
      .optional()
      .describe("The most bytes that a gzipped Parquet file may unpack to, on the disk. Left out: 16 GiB.")
      .register(keyFacts, DATA),
    template: z
      .union([z.string().min(1), templateStrings])
      .default("alpaca")
      .describe(
        "What rows are wrapped in: a named template, `tokenizer` for the model's own chat template, or strings of your own.",
      )
      .register(keyFacts, DATA),
    turns: z
      .union([z.enum(["all", "last"]), z.array(z.int())])
      .default("all")
      .describe(
        "The assistant turns that are trained: all of them, the last, or a list of numbers that count from 1 (-1 is the last).",
      )
      .register(keyFacts, DATA),
    rewrittenHistory: z
      .enum(["error", "split"])
      .optional()
      .describe(
        "With `template: tokenizer`: rows whose earlier turns the chat template shows differently once the conversation continues. `error` refuses them, `split` makes a row for each completion.",
      )
      .register(keyFacts, DATA),
    templateVariables: z
      .record(z.string(), z.unknown())
      .optional()
      .describe(
        "With `template: tokenizer`: more variables for the chat template, such as `enable_thinking`.",
      )
      .register(keyFacts, DATA),
    loss: lossSection.describe("The weights of tokens, and the normalization of the loss."),
    maxLength: z
      .int()
      .min(2)
      .optional()
      .describe("The most tokens that a row may have. Left out: the model's positions."),
    overflow: z
      .enum(OVERFLOW_POLICIES)
      .optional()
      .describe(
        "What happens to longer rows: `error` stops the run, `drop` leaves them out, `truncate-prompt` cuts from the left, `truncate-completion` from the right. Left out: `error`.",
      ),
    seed: z
      .int()
      .default(0)
      .describe("The seed of everything random: the order of rows, held-out rows, new weights, dropout."),
    training: trainingSection.describe("Length, batches, optimizer, regularization, precision."),
    adapter: adapterSection
      .optional()
      .describe("Trains an adapter of some kind and leaves the model's weights as they are."),
    lora: loraSection
      .optional()
      .describe("Short for `adapter: { kind: lora, … }`: trains a low-rank adapter (LoRA)."),
    evaluation: evaluationSection(dataSource)
      .optional()
      .describe("Held-out rows: they are measured and not trained on."),
    checkpoints: checkpointsSection
      .describe("Checkpoints, from which an interrupted run resumes.")
      .register(keyFacts, { affects: "nothing" }),
    probes: probesSection(dataSource)
      .describe("What else is measured of the trained model.")
      .register(keyFacts, { affects: "measures" }),
    logging: loggingSection
      .describe("Where the run's numbers go beside its folder's `metrics.jsonl`.")
      .register(keyFacts, { affects: "nothing" }),
    output: z
      .string()
      .min(1)
      .optional()
      .describe("The folder that the run writes.")
      .register(keyFacts, { affects: "nothing" }),
  })
  .superRefine(({ adapter, lora, training, initialize, loss, probes }, context) => {
    const refuse = (path: string[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    const reweighting = reweightingSettings(loss);
    if (
      initialize === "random" &&
      reweighting !== undefined &&
      needsReference(reweighting) &&
      reweighting.reference === undefined
    )
      refuse(
        ["loss", "reweighting"],
        "looks at the model before training, and its weights are drawn; name a loss.reweightingOptions.reference",
      );
    if (initialize === "random" && probes.generations?.before)
      refuse(["probes", "generations", "before"], "the weights are drawn: there is nothing to read");
    if (initialize === "random" && probes.forgetting !== undefined)
      refuse(["probes", "forgetting"], "the weights are drawn: there is nothing to forget");
    const trained = adapter ?? lora;
    if (trained === undefined) return;
    const key = adapter === undefined ? "lora" : "adapter";
    if (adapter !== undefined && lora !== undefined)
      refuse(["lora"], "is short for an adapter of kind lora, and there is one already; give one of the two");
    if (adapter !== undefined && !ADAPTER_TRAITS[adapter.kind].divisible && training.sharding !== "none")
      refuse(
        ["training", "sharding"],
        `an adapter of kind ${adapter.kind} is not divided among processes; leave it out`,
      );
    if (training.freeze) refuse(["training", "freeze"], `under ${key} all but the adapter is frozen already`);
    if (training.minkowski)
      refuse(["training", "minkowski"], `penalizes the model's own weights, which ${key} leaves as they are`);
    if (trained.base !== undefined && training.sharding !== "none")
      refuse(
        [key, "base"],
        "weights in few bits are not divided among processes; leave training.sharding out",
      );
    if (initialize === "random") refuse([key], "an adapter on random weights learns little; leave one out");
  });

export type Recipe = z.output<typeof recipeSchema>;
