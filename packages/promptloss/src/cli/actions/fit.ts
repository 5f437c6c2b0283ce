// `promptloss fit`: a mixed model of any table of scores, with all that R's summary of such a model prints.
import type { Command } from "commander";
import {
  type FamilyName,
  fitToJson,
  type MixedModelFit,
  type Row,
  renderComparison,
  renderSummary,
  type ScoreTransform,
  toJson,
} from "../../statistics/index.ts";
import { harmlessJson } from "../../terminal/index.ts";
import { type FitReport, fitTable } from "../fit/fit-tables.ts";

interface Flags {
  formula: string[];
  family: FamilyName;
  reml?: true;
  samplingError?: string;
  transform: ScoreTransform[];
  where: Row;
  within?: string;
  vertex?: string | true;
  at: Row;
  bootstrap?: number;
  seed: number;
  level: number;
  modes?: true;
  json?: true;
}

function json({ fits, comparison, transforms, effect, notes }: FitReport): string {
  const whole = {
    fits: fits.map(fitToJson),
    ...(comparison && { comparison: toJson(comparison) }),
    transforms: toJson(transforms),
    ...(effect && { effect: toJson(effect) }),
    notes,
  };
  return `${harmlessJson(whole, 2)}\n`;
}

export async function runFit(
  file: string,
  { formula, reml, transform: transforms, vertex, ...flags }: Flags,
  command: Command,
): Promise<void> {
  if (vertex === undefined && (flags.bootstrap !== undefined || Object.keys(flags.at).length > 0))
    command.error("error: --bootstrap and --at belong to --vertex");
  if (vertex === undefined && command.getOptionValueSource("level") === "cli")
    command.error("error: --level is of the best value's interval: give --vertex too");
  if (flags.bootstrap === undefined && command.getOptionValueSource("seed") === "cli")
    command.error("error: --seed is of the bootstrap: give --bootstrap too");
  if (flags.within !== undefined && !transforms.some(({ name }) => name === "min-max"))
    command.error("error: --within belongs to --transform min-max");
  const report = fitTable({
    file,
    formulas: formula,
    reml: reml === true,
    transforms,
    vertex: vertex === true ? "wp" : vertex,
    ...flags,
  });
  process.stdout.write(flags.json ? json(report) : `${text(report, flags.modes === true)}\n`);
}

function text({ fits, comparison, transforms, effect, notes }: FitReport, modes: boolean): string {
  const before = [
    ...notes.map((note) => `note: ${note}`),
    ...transforms.map(({ name, description }) => `transform: ${name}, ${description}`),
  ];
  return [
    ...(before.length === 0 ? [] : [before.join("\n")]),
    ...fits.map((fit) => [renderSummary(fit), ...(modes ? modeLines(fit) : [])].join("\n")),
    ...(comparison === undefined ? [] : [renderComparison(comparison)]),
    ...(effect === undefined ? [] : [`Effect of ${effect.variable}\n${effect.sentence}`]),
  ].join("\n\n");
}

/** The conditional modes of each group, as R's ranef prints them. */
function modeLines({ conditionalModes }: MixedModelFit): string[] {
  return conditionalModes.flatMap(({ group, effects, levels }) => [
    "",
    `Conditional modes of ${group} (${effects.join(", ")})`,
    ...levels.map(
      ({ level, values }) => `  ${level}  ${values.map((value) => value.toFixed(4).padStart(8)).join("  ")}`,
    ),
  ]);
}
