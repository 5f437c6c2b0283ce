// `promptloss recommend`: which prompt loss weight to use, with evidence and interval: from a study's results where one
// is given and settles it, otherwise from what is verified of the paper. What `auto` in a recipe means.
import { Command, Option } from "commander";
import pc from "picocolors";
import { leftOutLines } from "../data/left-out.ts";
import { readExamples } from "../data/rows/index.ts";
import { loadTokenizer } from "../data/tokenizer/index.ts";
import { PromptlossError } from "../errors.ts";
import { recommendForData } from "../inspect/index.ts";
import {
  type Recommendation,
  type RecommendOptions,
  recommend,
  renderRecommendation,
  type TaskGroup,
  taskGroups,
} from "../statistics/index.ts";
import { fitStudy, readStudyResults, studyEvidence } from "../study/results/index.ts";
import { type DataFlags, readFlags, recipeSettings, sourcesOf, withRowOptions } from "./data-flags.ts";
import { anyNumber } from "./options.ts";
import { Progress, watchedHub } from "./progress.ts";

interface Flags extends DataFlags {
  rg?: number;
  tokenizer?: string;
  tasks?: TaskGroup;
  study?: string;
  json?: true;
}

export function recommendCommand(): Command {
  const command = new Command("recommend")
    .description("say which prompt loss weight to use, how sure that is, and on what evidence")
    .argument("[data...]", "a recipe (.yaml), or files, patterns, dataset folders or hub ids")
    .option(
      "--rg <ratio>",
      "the generation ratio, in place of data: completion over prompt tokens",
      anyNumber,
    )
    .option("--tokenizer <folder>", "a Hugging Face model or tokenizer folder, for data");
  return withRowOptions(command)
    .addOption(new Option("--tasks <kind>", "what the model is for").choices(taskGroups))
    .option("--study <folder>", "the output folder of a study of your own, asked first")
    .option("--json", "print the recommendation as JSON")
    .action(async (data: string[], flags: Flags, command: Command) => {
      if (data.length > 0 === (flags.rg !== undefined))
        command.error("error: give data or --rg, one of the two");
      const options: RecommendOptions = {
        ...(flags.tasks && { taskGroup: flags.tasks }),
        ...(flags.study !== undefined && { study: studyEvidence(fitStudy(readStudyResults(flags.study))) }),
      };
      const found =
        flags.rg === undefined ? await forData(data, flags, options) : recommend(flags.rg, options);
      process.stdout.write(
        flags.json ? `${JSON.stringify(found, null, 2)}\n` : `${renderRecommendation(found)}\n`,
      );
    });
}

const forData = async (
  data: readonly string[],
  flags: Flags,
  options: RecommendOptions,
): Promise<Recommendation> => {
  const { sources, read, tokenizer: folder } = settingsFrom(data, flags);
  const progress = new Progress("rows");
  const examples = readExamples(sources, { ...read, hub: watchedHub() });
  const { recommendation } = await recommendForData(examples, {
    ...options,
    tokenizer: await loadTokenizer(folder),
    onRow: (rows) => progress.show(rows),
  });
  progress.end();
  for (const line of leftOutLines(examples.report)) process.stderr.write(`${pc.yellow("!")} ${line}\n`);
  if (recommendation !== undefined) return recommendation;
  throw new PromptlossError(`${data.join(", ")}: there is no generation ratio to go by`, {
    hint: "a prompt loss weight needs rows that have a prompt and a completion",
  });
};

const settingsFrom = (data: readonly string[], flags: Flags) => {
  const { tokenizer } = flags;
  const settings = recipeSettings(data, flags);
  if (settings !== undefined) return { ...settings, tokenizer: tokenizer ?? settings.tokenizer };
  if (tokenizer === undefined)
    throw new PromptlossError("the generation ratio is counted in tokens, and there is no tokenizer", {
      hint: "give --tokenizer FOLDER, or --rg in place of data",
    });
  const read = { onBadRow: "skip", ...readFlags(flags) } as const;
  return { sources: sourcesOf(data, flags), read, tokenizer };
};
