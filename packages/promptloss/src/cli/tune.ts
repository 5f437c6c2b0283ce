// `promptloss tune`: a search of few runs over the prompt loss weight and the learning rate, resumed by running it again.
import { type Command, InvalidArgumentError, Option } from "commander";
import { anyNumber, collect, positiveCount, setOption, strictOption, wholeNumber } from "./options.ts";
import { weightList } from "./recommend.ts";

type Action = typeof import("./actions/tune.ts").runTune;

/** "2M", "500k", "1e6" */
function amount(text: string): number {
  const [, number, unit = ""] = /^([\d.]+(?:e\d+)?)([kMG]?)$/.exec(text) ?? [];
  const value = Number(number) * { "": 1, k: 1e3, M: 1e6, G: 1e9 }[unit as "k"]!;
  if (!(value > 0)) throw new InvalidArgumentError("It should be an amount, as 2M or 500k.");
  return value;
}

function positive(text: string): number {
  const value = anyNumber(text);
  if (value <= 0) throw new InvalidArgumentError("It should be a number above 0.");
  return value;
}

function nonNegative(text: string): number {
  const value = anyNumber(text);
  if (value < 0) throw new InvalidArgumentError("It should be a number of 0 or more.");
  return value;
}

function rateList(text: string): number[] {
  const rates = text.split(",").map(Number);
  if (!rates.every((rate) => rate > 0 && Number.isFinite(rate)))
    throw new InvalidArgumentError("It should be learning rates above 0, as 1e-5,3e-5.");
  return rates;
}

export function tuneCommand(command: Command): Command {
  return command
    .argument("<recipe>", "a recipe (.yaml) with an evaluation section: its rows are for the search")
    .addOption(setOption())
    .addOption(strictOption())
    .option("--runs <number>", "the most runs of the search", positiveCount)
    .option("--tokens <amount>", "the most training tokens of the search, as 2M", amount)
    .option("--hours <number>", "the most hours of the search's runs", positive)
    .option("--objective <task>", 'what to choose runs by: a task, or "task metric"', "held-out")
    .option("--test <data>", "data to test the choice on, for the objective held-out")
    .option("--test-task <name>", "the task to test the choice on, for other objectives")
    .option("--task-data <folder>", "the folder of the tasks' rows")
    .option("--weights <plw,...>", "the weights to search", weightList)
    .option(
      "--learning-rates <rate,...>",
      "the learning rates to search (default: the recipe's, a third and three times of it)",
      rateList,
    )
    .option("--key <key=value,...>", "another recipe key to search; repeatable", collect, [])
    .option(
      "--tolerance <amount>",
      "stop when one more run is expected to gain less than this",
      nonNegative,
      0,
    )
    .option("--batch <runs>", "runs to propose at a time, for launchers that run several", positiveCount, 1)
    .option("--final-seeds <number>", "new seeds to train the choice with", positiveCount, 2)
    .option("--seed <number>", "seed of the posterior's draws", wholeNumber, 1)
    .option("--noise <sd>", "what you know of a run's noise, as a standard deviation", positive)
    .option("-o, --output <folder>", "the folder of the search (default: runs/RECIPE-tune)")
    .addOption(
      new Option("--launcher <name>", "where cells run").choices(["local", "slurm"]).default("local"),
    )
    .option("--slurm <yaml>", "a study file's slurm section, as '{ partition: gpu, time: 60 }'")
    .option("--concurrency <cells>", "cells at a time", positiveCount)
    .option("--retry", "run failed cells again")
    .option("--json", "print the report as JSON, and nothing else")
    .action(async (...given: Parameters<Action>) => (await import("./actions/tune.ts")).runTune(...given));
}
