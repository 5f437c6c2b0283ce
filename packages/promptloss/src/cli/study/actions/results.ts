import { counted } from "../../../counted.ts";
import { renderFinding, renderSummary } from "../../../statistics/index.ts";
import {
  fitStudy,
  fitsToJson,
  type StudyFit,
  type StudyFits,
  type StudyInteraction,
  type StudySurface,
  writeResults,
} from "../../../study/index.ts";
import { harmlessJson, ink } from "../../../terminal/index.ts";
import { studyOf } from "../read-study-file.ts";
import type { StudyFlags } from "../study-file.ts";

interface Flags extends StudyFlags {
  json?: true;
}

function text({ fits, benchmarks, interactions, surfaces, notes, tested }: StudyFits): string {
  return [
    ...notes.map((note) => `note: ${note}`),
    ...(tested > 1 ? [`note: p-values are corrected for ${tested} statements`] : []),
    ...fits.map(fitText),
    ...(benchmarks.length > 0 ? ["", ink.bold("each benchmark alone"), ...benchmarks.map(alone)] : []),
    ...interactions.map(interactionText),
    ...(surfaces.length > 0 ? ["", ink.bold("over all generation ratios"), ...surfaces.map(overRatios)] : []),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function scopeName({ taskGroup, generationRatio, benchmark }: StudyFit): string {
  const ratio = generationRatio === undefined ? "" : `, Rg ${Number(generationRatio.toPrecision(3))}`;
  return `${benchmark ?? taskGroup ?? "all tasks"}${ratio}`;
}

function fitText(each: StudyFit): string {
  const { rows, transforms, finding, fit, beside, problem } = each;
  return [
    "",
    ink.bold(`${scopeName(each)}: ${rows.length} scores`),
    ...(finding === undefined ? [] : [renderFinding(finding)]),
    ...(beside === undefined ? [] : [`${beside.agrees ? "beside" : ink.yellow("!")}: ${beside.sentence}`]),
    ...(problem === undefined ? [] : [`${ink.yellow("!")} ${problem}`]),
    ...(fit === undefined
      ? []
      : [
          "",
          ...transforms.map(({ name, description }) => `transform: ${name}, ${description}`),
          renderSummary(fit),
        ]),
  ].join("\n");
}

function alone(each: StudyFit): string {
  return `${scopeName(each)}: ${each.finding?.verdict ?? `nothing to compare: ${each.problem}`}`;
}

function overRatios({ taskGroup, finding }: StudySurface): string {
  return `${taskGroup ?? "all tasks"}: ${finding?.verdict ?? "nothing to compare"}`;
}

function interactionText({ factor, levels, sentence }: StudyInteraction): string {
  return [
    "",
    ink.bold(`${sentence}.`),
    ...levels.map(({ level, finding }) => `${factor} ${level}: ${finding?.verdict ?? "nothing to compare"}`),
  ].join("\n");
}

export async function runResults(file: string, { json, ...flags }: Flags): Promise<void> {
  const study = studyOf(file, flags);
  const results = writeResults(study);
  const fits = fitStudy(results);
  if (json) {
    process.stdout.write(`${harmlessJson(fitsToJson(fits), 2)}\n`);
    return;
  }
  const done = new Set(results.rows.map(({ cell }) => cell)).size;
  process.stdout.write(
    `${done} of ${counted(results.cells, "cell")}, ${counted(results.rows.length, "value")} in ${study.output}/results.csv\n${text(fits)}`,
  );
}
