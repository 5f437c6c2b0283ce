// `promptloss invert`: short-completion data from long-completion data, by asking for the prompt.
import type { Command } from "commander";
import { counted } from "../../counted.ts";
import { readExamples } from "../../data/rows/index.ts";
import { loadTokenizer } from "../../data/tokenizer/index.ts";
import { dataInputs } from "../../data-plan/index.ts";
import { writeJson } from "../../files/atomic.ts";
import { checkOutputFile, protectInputs } from "../../files/output.ts";
import { type InvertReport, invertExamples, type SideMeans, type TargetWay } from "../../invert/index.ts";
import { harmlessJson, ink } from "../../terminal/index.ts";
import { textTable } from "../../terminal/text-table.ts";
import { recipeSettings, sourcesOf, tokenizerFolder } from "../data-flags.ts";
import type { DataFlags } from "../data-options.ts";
import { leftOutNotes, listSkipped } from "../left-out.ts";
import { watchedHub } from "../progress.ts";

interface Flags extends DataFlags {
  tokenizer?: string;
  output: string;
  instruction: string;
  completion: string;
  all?: true;
  targetRatio?: number;
  by: TargetWay;
  seed: number;
  json?: true;
  verbose?: true;
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
      ? `${whole(leftOut)} of ${counted(rows, "row")} left out at random`
      : `${whole(inverted)} of ${counted(rows, "row")} inverted`;
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

export async function runInvert(data: string[], flags: Flags, command: Command): Promise<void> {
  const { output, instruction, completion, targetRatio, by, seed } = flags;
  const useless = ["instruction", "completion", "all"].filter((name) => isGiven(command, name));
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
    wording: { instruction, output: completion },
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
}
