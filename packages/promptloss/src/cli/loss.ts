// `promptloss loss`: what a model makes of some data, without training. One line of JSON a row, then the totals.
import { Command, Option } from "commander";
import type { TokenClass } from "../data/example.ts";
import { OVERFLOW_POLICIES, type OverflowPolicy } from "../data/tokens/index.ts";
import type { DataPlan } from "../data-plan/index.ts";
import { finiteJson } from "../finite-json.ts";
import { MEASURED, NORMALIZATIONS, type Normalization, type PartSums, partMeans } from "../loss/index.ts";
import { isRecipe, readRecipe } from "../recipe/index.ts";
import { measureLoss } from "../training/measure-loss.ts";
import { type DataFlags, readFlags, recipeSettings, sourcesOf, withRowOptions } from "./data-flags.ts";
import { classWeight, weightNumber, wholeNumber } from "./options.ts";
import { watchedHub } from "./progress.ts";

interface Flags extends DataFlags {
  adapter?: string;
  tokenizer?: string;
  template?: string;
  plw?: number;
  completionWeight?: number;
  classWeight: Partial<Record<TokenClass, number>>;
  allowAnyWeight?: true;
  normalization?: Normalization;
  limit?: number;
  maxLength?: number;
  overflow?: OverflowPolicy;
  precision: "float32" | "bfloat16";
  microBatchTokens: number;
  gradients?: true;
}

export function lossCommand(): Command {
  const command = new Command("loss")
    .description("measure a model's loss on data, row by row and in all, without training")
    .argument("<model>", "a Hugging Face model folder")
    .argument("<recipe | data>", "a recipe (.yaml), or a file, pattern, dataset folder or hub id")
    .option("--adapter <folder>", "a PEFT adapter over the model")
    .option("--tokenizer <folder>", "where it is not the model's")
    .option("--template <name>", "what the rows are wrapped in (the recipe's, or alpaca)");
  return withRowOptions(command)
    .option("--plw <weight>", "prompt loss weight of the totals (the recipe's, or 1)", weightNumber)
    .option("--completion-weight <weight>", "weight of completion tokens", weightNumber)
    .option("--class-weight <class=weight>", "weight of one class of tokens; again for more", classWeight, {})
    .option("--allow-any-weight", "take weights above 1, and completions of weight 0")
    .addOption(new Option("--normalization <name>", "what the sum is divided by").choices(NORMALIZATIONS))
    .option("--limit <rows>", "the first rows of each source only", wholeNumber)
    .option("--max-length <tokens>", "the longest row", wholeNumber)
    .addOption(new Option("--overflow <policy>", "what to do with longer rows").choices(OVERFLOW_POLICIES))
    .addOption(
      new Option("--precision <name>", "of matrix products")
        .choices(["float32", "bfloat16"])
        .default("float32"),
    )
    .option("--micro-batch-tokens <tokens>", "tokens computed at one time", wholeNumber, 4096)
    .option("--json", "print errors as JSON too; what is measured is JSON lines in any case")
    .option("--gradients", "add the norm of the loss's gradient, in all and by parameter")
    .action(async (model: string, data: string, flags: Flags) => {
      const recipe = isRecipe(data) ? readRecipe(data, { set: flags.set ?? [] }) : undefined;
      const totals = await measureLoss({
        model,
        adapter: flags.adapter,
        data: withFlags(recipeSettings([data], flags), model, data, flags),
        normalization: flags.normalization ?? recipe?.loss.normalization ?? "weight-sum",
        compute: flags.precision === "bfloat16" ? "bfloat16" : undefined,
        microBatchTokens: flags.microBatchTokens,
        gradients: flags.gradients === true,
        onRow: ({ source, sums }) => print({ ...source, ...partsOf(sums) }),
      });
      const { sums, ...rest } = totals;
      print({ totals: { ...rest, ...partsOf(sums) } });
    });
}

function print(line: object): void {
  process.stdout.write(`${finiteJson(line, "the loss")}
`);
}

/** Mean loss, accuracy and tokens of each part; null where it has no tokens. */
function partsOf(sums: PartSums) {
  const means = partMeans(sums);
  return Object.fromEntries(MEASURED.map((name) => [name, means[name] ?? null]));
}

function withFlags(base: DataPlan | undefined, model: string, path: string, flags: Flags): DataPlan {
  const { plw, completionWeight, classWeight: perClass, limit } = flags;
  const sources = base?.sources ?? sourcesOf([path], flags);
  return {
    sources: limit === undefined ? sources : sources.map((source) => ({ ...source, limit })),
    read: { ...base?.read, ...readFlags(flags), hub: watchedHub() },
    tokenizer: flags.tokenizer ?? base?.tokenizer ?? model,
    template: flags.template ?? base?.template ?? "alpaca",
    templateOptions: flags.template === undefined ? (base?.templateOptions ?? {}) : {},
    turns: base?.turns ?? "all",
    weights: {
      ...(base?.weights ?? { promptLossWeight: 1 }),
      ...(plw !== undefined && { promptLossWeight: plw }),
      ...(flags.allowAnyWeight && { allowAnyWeight: true }),
      ...(completionWeight !== undefined && { completionWeight }),
      ...(Object.keys(perClass).length > 0 && { perClass: { ...base?.weights.perClass, ...perClass } }),
    },
    normalization: flags.normalization ?? base?.normalization,
    heldOut: undefined,
    seed: base?.seed ?? 0,
    model,
    maxLength: flags.maxLength ?? base?.maxLength,
    overflow: flags.overflow ?? base?.overflow,
  };
}
