// `promptloss fit`: a mixed model of any table of scores, with all that R's summary of such a model prints.
import { Command, InvalidArgumentError, Option } from "commander";
import {
  type FamilyName,
  familyNames,
  fitToJson,
  type MixedModelFit,
  type Row,
  renderComparison,
  renderSummary,
  type ScoreTransform,
  type ScoreTransformName,
  toJson,
} from "../statistics/index.ts";
import { harmlessJson } from "../terminal/index.ts";
import { type FitReport, fitTable } from "./fit/fit-tables.ts";
import { collect, positiveCount, wholeNumber } from "./options.ts";

interface Flags {
  formula: string[];
  family: FamilyName;
  reml?: true;
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

export function fitCommand(): Command {
  return new Command("fit")
    .description("fit a mixed model to a table of scores: coefficients, tests, criteria, variances, warnings")
    .argument("<table>", "a table with a header: .csv, .tsv, .jsonl or .json")
    .requiredOption(
      "--formula <formula>",
      'as "score ~ wp + wp^2 + (1|model)"; again for more, which are compared',
      collect,
    )
    .addOption(new Option("--family <name>", "of the scores").choices(familyNames).default("beta"))
    .option("--reml", "restricted maximum likelihood (gaussian only)")
    .option(
      "--transform <name>",
      "bring scores into (0, 1): percent, min-max, squeeze, clip or clip=MARGIN; again for more, in order",
      transform,
      [],
    )
    .option(
      "--where <column=value>",
      "only rows with this value, as metric=acc; again for more columns",
      cell,
      {},
    )
    .option("--within <column>", "the groups that min-max works within")
    .option(
      "--vertex [variable]",
      "the best value of a quadratic effect, of wp where no other is named; of the last formula that has its square",
    )
    .option("--at <column=value>", "for --vertex: a column that interacts with it; again for more", cell, {})
    .option("--bootstrap <refits>", "for --vertex: add a parametric bootstrap interval", positiveCount)
    .option("--seed <number>", "of the bootstrap", wholeNumber, 1)
    .option("--level <share>", "of intervals", share, 0.95)
    .option("--modes", "print the conditional modes of each group too")
    .option("--json", "print everything as JSON")
    .action(
      (file: string, { formula, reml, transform: transforms, vertex, ...flags }: Flags, command: Command) => {
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
      },
    );
}

function transform(text: string, before: ScoreTransform[]): ScoreTransform[] {
  const [name, margin] = text.split("=");
  const known = (["percent", "min-max", "squeeze", "clip"] as const satisfies ScoreTransformName[]).find(
    (each) => each === name,
  );
  if (known === undefined || (margin !== undefined && known !== "clip"))
    throw new InvalidArgumentError("It should be percent, min-max, squeeze, clip or clip=MARGIN.");
  return [...before, { name: known, ...(margin !== undefined && { margin: Number(margin) }) }];
}

function cell(text: string, before: Row): Row {
  const at = text.indexOf("=");
  if (at < 1) throw new InvalidArgumentError("It should be a column and its value, as model=llama.");
  const value = text.slice(at + 1);
  return {
    ...before,
    [text.slice(0, at)]: value !== "" && !Number.isNaN(Number(value)) ? Number(value) : value,
  };
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError("It should lie between 0 and 1.");
  return value;
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
