// `promptloss recommend`: the prompt loss weight of lowest expected regret, from a study's runs where one is given, on a
// prior from what is verified of the paper. What `auto` in a recipe means.
import type { Command } from "commander";
import { leftOutLines } from "../../data/left-out.ts";
import { readExamples } from "../../data/rows/index.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { PromptlossError } from "../../errors.ts";
import { ratioOfData } from "../../inspect/index.ts";
import type { Normalization } from "../../loss/normalization.ts";
import { modelFolder } from "../../models/gguf/model-folder.ts";
import { recommend, renderRecommendation, type TaskGroup } from "../../statistics/index.ts";
import { readStudyResults, studyEvidence } from "../../study/results/index.ts";
import { columnsOf, harmlessJson, wrapped } from "../../terminal/index.ts";
import { readFlags, recipeSettings, sourcesOf } from "../data-flags.ts";
import type { DataFlags } from "../data-options.ts";
import { printNotes } from "../notes.ts";
import { flagOf } from "../options.ts";
import { Progress, watchedHub } from "../progress.ts";

interface Flags extends DataFlags {
  rg?: number;
  tokenizer?: string;
  taskGroup?: TaskGroup;
  study?: string;
  objective?: string;
  normalization?: Normalization;
  parameters?: number;
  tolerance?: number;
  weights?: number[];
  json?: true;
}

/** Options that say what is in data, or how it is read. */
const OF_DATA = ["tokenizer", "set", "format", "columns", "emptyCompletions"] as const;

type Settings = ReturnType<typeof settingsFrom>;

async function ratioOf(data: readonly string[], { sources, read, tokenizer }: Settings): Promise<number> {
  const progress = new Progress("rows");
  const examples = readExamples(sources, { ...read, hub: watchedHub() });
  const { generationRatio } = await ratioOfData(examples, {
    tokenizer: await loadTokenizer(tokenizer),
    onRow: (rows) => progress.show(rows),
  });
  progress.end();
  printNotes(leftOutLines(examples.report));
  const { ratioOfMeans } = generationRatio;
  if (ratioOfMeans !== undefined && ratioOfMeans > 0) return ratioOfMeans;
  throw new PromptlossError(`${data.join(", ")}: there is no generation ratio to go by`, {
    hint: "a prompt loss weight needs rows that have a prompt and a completion",
  });
}

function settingsFrom(data: readonly string[], flags: Flags) {
  const tokenizer = flags.tokenizer === undefined ? undefined : modelFolder(flags.tokenizer, "tokenizer");
  const settings = recipeSettings(data, flags);
  if (settings !== undefined) {
    const { sources, read, normalization } = settings;
    return { sources, read, normalization, tokenizer: tokenizer ?? settings.tokenizer };
  }
  if (tokenizer === undefined)
    throw new PromptlossError("the generation ratio is counted in tokens, and there is no tokenizer", {
      hint: "give --tokenizer FOLDER, or --rg in place of data",
    });
  const read = { onBadRow: "skip", ...readFlags(flags) } as const;
  return { sources: sourcesOf(data, flags), read, tokenizer, normalization: undefined };
}

export async function runRecommend(data: string[], flags: Flags, command: Command): Promise<void> {
  if (data.length > 0 === (flags.rg !== undefined)) command.error("error: give data or --rg, one of the two");
  const useless = OF_DATA.find((name) => flags[name] !== undefined);
  if (flags.rg !== undefined && useless !== undefined)
    command.error(`error: --rg takes the place of data, so ${flagOf(useless)} has no use`);
  if (flags.objective !== undefined && flags.study === undefined)
    command.error("error: --objective is one of a study: give --study too");
  const settings = flags.rg === undefined ? settingsFrom(data, flags) : undefined;
  const ratio = flags.rg ?? (await ratioOf(data, settings!));
  const { taskGroup, study, objective, parameters, tolerance: tolerated, weights } = flags;
  const found = recommend(ratio, {
    ...{ taskGroup, parameters, weights, tolerance: tolerated },
    normalization: flags.normalization ?? settings?.normalization,
    study:
      study === undefined
        ? undefined
        : studyEvidence(readStudyResults(study).rows, { generationRatio: ratio, taskGroup, objective }),
  });
  process.stdout.write(
    flags.json
      ? `${harmlessJson(found, 2)}\n`
      : `${wrapped(renderRecommendation(found), columnsOf(process.stdout))}\n`,
  );
}
