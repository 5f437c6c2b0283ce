// `promptloss preview`: rows as training would see them, every token with its weight.
import { Command, Option } from "commander";
import pc from "picocolors";
import type { Example } from "../data/example.ts";
import { readExamples } from "../data/rows/index.ts";
import {
  ExampleTokenizer,
  OVERFLOW_POLICIES,
  type OverflowPolicy,
  resolveWeightPolicy,
} from "../data/tokens/index.ts";
import { PromptlossError } from "../errors.ts";
import { type PreviewSettings, planPreview } from "../preview/plan.ts";
import { type PreviewRow, previewRow } from "../preview/preview-row.ts";
import { renderPreview } from "../preview/render.ts";
import { type DataFlags, recipeSettings, sourcesOf, tokenizerFolder, withDataOptions } from "./data-flags.ts";
import { numberSet, weightNumber, wholeNumber } from "./options.ts";
import { watchedHub } from "./progress.ts";
import { listSkipped } from "./skipped-rows.ts";

interface Flags extends DataFlags {
  tokenizer?: string;
  template?: string;
  plw?: number;
  completionWeight?: number;
  maxLength?: number;
  overflow?: OverflowPolicy;
  rows?: ReadonlySet<number>;
  random?: number;
  seed?: number;
  tokens?: true;
  json?: true;
  verbose?: true;
}

const SHOWN = 3;

export function previewCommand(): Command {
  const command = new Command("preview")
    .description("show rows as training would see them, every token with its weight")
    .argument("<recipe | data>", "a recipe (.yaml), or a file, pattern, dataset folder or hub id")
    .option("--tokenizer <folder>", "a Hugging Face model or tokenizer folder (a recipe names its own)")
    .option("--template <name>", "what training wraps the rows in (the recipe's, or alpaca)");
  return withDataOptions(command)
    .option("--plw <weight>", "prompt loss weight; predicted from the data when left out", weightNumber)
    .option("--completion-weight <weight>", "weight of completion tokens", weightNumber)
    .option("--max-length <tokens>", "the longest row", wholeNumber)
    .addOption(new Option("--overflow <policy>", "what to do with longer rows").choices(OVERFLOW_POLICIES))
    .option("--rows <numbers>", "rows of the file, such as 1,5-7", numberSet)
    .addOption(
      new Option("--random <count>", "so many rows at random").argParser(wholeNumber).conflicts("rows"),
    )
    .option("--seed <number>", "of the random rows", wholeNumber)
    .option("--tokens", "list each token with position, id, class and weight")
    .option("--json", "print rows, tokens and weights as JSON")
    .option("--verbose", "list rows that were left out")
    .action(async (path: string, flags: Flags) => {
      const settings = settingsFrom(path, flags);
      const plan = await planPreview(settings);
      const examples = await choose(settings, flags);
      const encoder = new ExampleTokenizer(plan.tokenizer, plan.template, { turns: settings.turns });
      const policy = resolveWeightPolicy(plan.weights);
      const rows: PreviewRow[] = [];
      for await (const row of encoder.rows(examples)) rows.push(previewRow(row, { ...plan, policy }));
      const notes = [...plan.notes, ...policy.warnings, ...encoder.report.warnings];
      if (flags.json) {
        process.stdout.write(`${JSON.stringify({ weights: plan.weights, notes, rows }, null, 2)}\n`);
        return;
      }
      for (const note of notes) process.stdout.write(`${pc.yellow("!")} ${note}\n`);
      process.stdout.write(renderPreview(rows, { colors: pc.isColorSupported, listTokens: flags.tokens }));
    });
}

/** The recipe's settings, or the defaults, with the flags over them. */
const settingsFrom = (path: string, flags: Flags): PreviewSettings => {
  const base = recipeSettings([path], flags);
  return {
    sources: base?.sources ?? sourcesOf([path], flags),
    read: {
      ...(base?.read ?? { emptyCompletions: "keep" }),
      hub: watchedHub(),
      ...(flags.seed !== undefined && { seed: flags.seed }),
      ...(flags.verbose && { onSkip: listSkipped }),
    },
    tokenizer: tokenizerFolder(flags.tokenizer, base, [path]),
    template: flags.template ?? base?.template ?? "alpaca",
    templateOptions: flags.template === undefined ? (base?.templateOptions ?? {}) : {},
    turns: base?.turns ?? "all",
    weights: {
      ...(base?.weights ?? { promptLossWeight: "auto" }),
      ...(flags.plw !== undefined && { promptLossWeight: flags.plw }),
      ...(flags.completionWeight !== undefined && { completionWeight: flags.completionWeight }),
    },
    maxLength: flags.maxLength ?? base?.maxLength,
    overflow: flags.overflow ?? base?.overflow,
  };
};

/** The rows named, some at random, or the first few. */
const choose = async ({ sources, read }: PreviewSettings, { rows, random }: Flags): Promise<Example[]> => {
  const chosen: Example[] = [];
  if (rows !== undefined) {
    const last = Math.max(...rows);
    for await (const example of readExamples(sources, read)) {
      if (rows.has(example.source.row)) chosen.push(example);
      if (sources.length === 1 && example.source.row >= last) break;
    }
    const found = new Set(chosen.map(({ source }) => source.row));
    const missing = [...rows].filter((row) => !found.has(row));
    if (missing.length > 0) throw new PromptlossError(`there is no row ${missing.join(", ")}`);
    return chosen;
  }
  const limit = random ?? SHOWN;
  const drawn = sources.map((source) => ({
    ...source,
    limit,
    ...(random !== undefined && { sample: "random" as const }),
  }));
  for await (const example of readExamples(drawn, read)) chosen.push(example);
  return chosen.slice(0, random === undefined ? SHOWN : chosen.length);
};
