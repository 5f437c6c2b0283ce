// `promptloss fit`: a mixed model of any table of scores, with all that R's summary of such a model prints.
import { type Command, InvalidArgumentError, Option } from "commander";
import { familyNames } from "../statistics/family/index.ts";
import type { Row, ScoreTransform, ScoreTransformName } from "../statistics/index.ts";
import { collect, positiveCount, wholeNumber } from "./options.ts";

type Action = typeof import("./actions/fit.ts").runFit;

export function transform(text: string, before: ScoreTransform[]): ScoreTransform[] {
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

export function fitCommand(command: Command): Command {
  return command
    .argument("<table>", "a table with a header: .csv, .tsv, .jsonl or .json")
    .requiredOption(
      "--formula <formula>",
      'as "score ~ wp + wp^2 + (1|model)"; several are compared',
      collect,
    )
    .addOption(
      new Option("--family <name>", "distribution of the scores").choices(familyNames).default("beta"),
    )
    .option("--reml", "restricted maximum likelihood (gaussian only)")
    .option(
      "--sampling-error <column>",
      "the scores' own standard errors, a known part of their variances beside the estimated one (gaussian only)",
    )
    .option(
      "--transform <name>",
      "bring scores into (0, 1): percent, min-max, squeeze, clip or clip=MARGIN; again for more, in order",
      transform,
      [],
    )
    .option("--where <column=value>", "only rows with this value, as metric=acc; repeatable", cell, {})
    .option("--within <column>", "the groups that min-max works within")
    .option(
      "--vertex [variable]",
      "add the best value of a quadratic effect (default: of wp), from the last formula with its square",
    )
    .option(
      "--at <column=value>",
      "for --vertex: the value of a column that interacts with it; repeatable",
      cell,
      {},
    )
    .option("--bootstrap <refits>", "for --vertex: add a parametric bootstrap interval", positiveCount)
    .option("--seed <number>", "seed of the bootstrap", wholeNumber, 1)
    .option("--level <share>", "level of intervals", share, 0.95)
    .option("--modes", "print the conditional modes of each group too")
    .option("--json", "print everything as JSON")
    .action(async (...given: Parameters<Action>) => (await import("./actions/fit.ts")).runFit(...given));
}
