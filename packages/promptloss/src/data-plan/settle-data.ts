// A plan with everything settled that can be before rows are read: tokenizer, template, weights, the longest row.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LeftOut } from "../data/left-out.ts";
import { readExamples } from "../data/rows/index.ts";
import { createTemplate, type Template } from "../data/templates/index.ts";
import { loadTokenizer, type Tokenizer } from "../data/tokenizer/index.ts";
import type { OverflowOptions, WeightPolicy } from "../data/tokens/index.ts";
import type { DataPlan } from "./data-plan.ts";
import { areIds } from "./first-rows.ts";
import { longestRow } from "./longest-row.ts";
import { type PromptSides, promptSides } from "./prompt-sides.ts";

export interface TextTools {
  readonly tokenizer: Tokenizer;
  readonly template: Template;
}

export interface SettledData {
  /** Undefined where the folder has no tokenizer and all rows are ids. */
  readonly text: TextTools | undefined;
  readonly weights: WeightPolicy;
  /** Undefined where rows may have any length. */
  readonly overflow: OverflowOptions | undefined;
  /** Where the model has an encoder. */
  readonly sides: PromptSides | undefined;
  /** What was decided for the user, and why. */
  readonly notes: readonly string[];
  /** What reading all the data left out; undefined where it did not have to be read. */
  readonly leftOut: LeftOut | undefined;
}

export interface SettleOptions {
  /** A tokenizer that is loaded already, by its folder. */
  readonly tokenizerOf?: (folder: string) => Promise<Tokenizer>;
}

/** @throws {TokenizerError}, {TemplateError}, {ModelError}, {DataPlanError}, and {DataError} where the data has to be read */
export async function settleData(plan: DataPlan, options: SettleOptions = {}): Promise<SettledData> {
  const sides = promptSides(plan);
  const { maxLength, notes } = longestRow(plan);
  const text = await textTools(plan, options);
  const { weights, ...found } = await settleWeights(plan, text?.tokenizer, sides);
  return {
    text,
    sides,
    weights,
    overflow:
      maxLength === undefined
        ? undefined
        : { maxLength, policy: plan.overflow ?? "error", bosId: text?.tokenizer.bosId },
    notes: [...notes, ...found.notes],
    leftOut: found.leftOut,
  };
}

/** The plan's tokenizer and template. */
export async function textTools(
  plan: DataPlan,
  { tokenizerOf = loadTokenizer }: SettleOptions = {},
): Promise<TextTools | undefined> {
  const { heldOut, sources, read } = plan;
  const all = heldOut !== undefined && "sources" in heldOut ? [...sources, ...heldOut.sources] : sources;
  const missing = !existsSync(join(plan.tokenizer, "tokenizer.json"));
  if (missing && plan.model !== undefined && (await areIds(all, read))) return undefined;
  const tokenizer = await tokenizerOf(plan.tokenizer);
  return { tokenizer, template: createTemplate(plan.template, tokenizer, plan.templateOptions) };
}

/** The weight policy with `auto` settled by the whole data's generation ratio. */
async function settleWeights(
  { weights: asked, sources, read, normalization }: DataPlan,
  tokenizer: Tokenizer | undefined,
  sides: PromptSides | undefined,
): Promise<Pick<SettledData, "weights" | "notes" | "leftOut">> {
  const { promptLossWeight, ...rest } = asked;
  if (promptLossWeight !== "auto")
    return { weights: { ...rest, promptLossWeight }, notes: [], leftOut: undefined };
  if (sides?.objective === "none")
    return {
      weights: { ...rest, promptLossWeight: 0 },
      notes: ["the model's encoder reads the prompt and nothing predicts it: its loss weight is 0"],
      leftOut: undefined,
    };
  // Only here: models of scores take longer to load than all else that a run needs.
  const { automaticWeight } = await import("../inspect/data-recommendation.ts");
  const examples = readExamples(sources, read);
  const { note, promptLossWeight: settled } = await automaticWeight(
    tokenizer === undefined ? [] : examples,
    tokenizer,
    { normalization },
  );
  return {
    weights: { ...rest, promptLossWeight: settled },
    notes: [note],
    leftOut: tokenizer === undefined ? undefined : examples.report,
  };
}
