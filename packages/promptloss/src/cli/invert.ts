// `promptloss invert`: short-completion data from long-completion data, by asking for the prompt.
import { Command, InvalidArgumentError, Option } from "commander";
import { readExamples } from "../data/rows/index.ts";
import { loadTokenizer } from "../data/tokenizer/index.ts";
import { dataInputs } from "../data-plan/index.ts";
import { writeJson } from "../files/atomic.ts";
import { checkOutputFile, protectInputs } from "../files/output.ts";
import {
  DEFAULT_WORDING,
  type InvertReport,
  invertExamples,
  type SideMeans,
  TARGET_WAYS,
  type TargetWay,
} from "../invert/index.ts";
import { harmlessJson, ink } from "../terminal/index.ts";
import { textTable } from "../terminal/text-table.ts";
import { type DataFlags, recipeSettings, sourcesOf, tokenizerFolder, withDataOptions } from "./data-flags.ts";
import { leftOutNotes, listSkipped } from "./left-out.ts";
import { wholeNumber } from "./options.ts";
import { watchedHub } from "./progress.ts";

interface Flags extends DataFlags {
  tokenizer?: string;
  output: string;
  instruction: string;
  answer: string;
  all?: true;
  targetRatio?: number;
  by: TargetWay;
  seed: number;
  json?: true;
  verbose?: true;
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value)))
    throw new InvalidArgumentError("It should be a positive number.");
  return value;
}

export function invertCommand(): Command {
  const command = new Command("invert")
    .description("make short-completion data: give the output, ask for the prompt")
    .argument(
      "<recipe | data...>",
      "a recipe (.yaml), or files, patterns, dataset folders or hub ids with instructions and outputs",
    )
    .option(
      "--tokenizer <folder>",
      "what lengths are counted with: a Hugging Face model or tokenizer folder (a recipe names its own)",
    )
    .requiredOption("-o, --output <file>", "the Alpaca JSON to write; the report goes beside it");
  return withDataOptions(command)
    .option("--instruction <text>", "the instruction of inverted rows", DEFAULT_WORDING.instruction)
    .option(
      "--answer <text>",
      "what is to be written, with {instruction} and {input}",
      DEFAULT_WORDING.output,
    )
    .option("--all", "invert rows with short completions too")
    .option("--target-ratio <ratio>", "take only as many rows as bring the generation ratio here", positive)
    .addOption(
      new Option("--by <way>", "how a target ratio is reached: inverting rows, or sampling: leaving rows out")
        .choices(TARGET_WAYS)
        .default("inverting"),
    )
    .option("--seed <number>", "of the rows drawn for a target ratio", wholeNumber, 0)
    .option("--json", "print the report as JSON")
    .option("--verbose", "list rows that were left out")
    .action(async (data: string[], flags: Flags, command: Command) => {
      const { output, instruction, answer, targetRatio, by, seed } = flags;
      const useless = ["instruction", "answer", "all"].filter((name) => isGiven(command, name));
      if (by === "sampling" && (useless.length > 0 || targetRatio === undefined))
        command.error(
          targetRatio === undefined
            ? "error: --by sampling needs --target-ratio"
            : `error: --by sampling inverts nothing, so --${useless[0]} has no use`,
        );
      const settings = recipeSettings(data, flags);
      const sources = settings?.sources ?? sourcesOf(data, flags);
      const folder = tokenizerFolder(flags.tokenizer, settings, data);
      const written = [output, reportFile(output)];
      for (const path of written) checkOutputFile(path);
      protectInputs(written, [
        ...(settings === undefined ? [] : [{ what: "the recipe", path: data[0]! }]),
        ...(await dataInputs(sources)),
        { what: "the tokenizer", path: folder, grows: true },
      ]);
      const tokenizer = await loadTokenizer(folder);
      const stream = readExamples(sources, {
        ...(settings?.read.seed !== undefined && { seed: settings.read.seed }),
        // A row without an output has nothing to be inverted from.
        onBadRow: "skip",
        hub: watchedHub(),
        ...(flags.verbose && { onSkip: listSkipped }),
      });
      const { rows, report } = await invertExamples(stream, {
        tokenizer,
        wording: { instruction, output: answer },
        onlyLong: flags.all !== true,
        by,
        seed,
        ...(targetRatio !== undefined && { targetRatio }),
      });
      const { skipped } = stream.report;
      const notes = leftOutNotes(stream.report, flags.verbose === true);
      const whole = { ...report, skipped, notes };
      writeJson(output, rows);
      writeJson(reportFile(output), whole);
      process.stdout.write(flags.json ? `${harmlessJson(whole, 2)}\n` : render(report, notes, output));
    });
}

function isGiven(command: Command, option: string): boolean {
  return command.getOptionValueSource(option) === "cli";
}

function reportFile(output: string): string {
  return output.replace(/(\.json)?$/, ".report.json");
}

function render(
  { rows, inverted, leftOut, by, before, after }: InvertReport,
  notes: readonly string[],
  output: string,
): string {
  const whole = (value: number): string => value.toLocaleString("en-US");
  const done =
    by === "sampling"
      ? `${whole(leftOut)} of ${whole(rows)} rows left out at random`
      : `${whole(inverted)} of ${whole(rows)} rows inverted`;
  const line = (label: string, { prompt, completion, generationRatio }: SideMeans): string[] => [
    label,
    ...[prompt, completion, generationRatio].map((value) => value.toFixed(2)),
  ];
  const table = textTable(
    [["mean tokens", "prompt", "completion", "Rg"], line("before", before), line("after", after)],
    ["left", "right", "right", "right"],
  );
  return [
    `${ink.bold("promptloss invert")}  ${output}`,
    "",
    `  ${done}`,
    ...notes.map((note) => `  ${ink.yellow("!")} ${note}`),
    "",
    ...table.map((each) => `  ${each}`),
    "",
    `  report: ${reportFile(output)}`,
    "",
  ].join("\n");
}
