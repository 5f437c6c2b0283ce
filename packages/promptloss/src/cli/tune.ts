// `promptloss tune`: a search of few runs over the prompt loss weight and the learning rate, resumed by running it again.
import { Command, InvalidArgumentError, Option } from "commander";
import { ConfigFileError, parseText } from "../config-file/index.ts";
import { PromptlossError } from "../errors.ts";
import { readRecipe } from "../recipe/index.ts";
import { candidateWeights } from "../statistics/index.ts";
import { type TuneEvent, type TuneSettings, tune } from "../study/index.ts";
import { harmlessJson, ink } from "../terminal/index.ts";
import { anyNumber, collect, positiveCount, wholeNumber } from "./options.ts";
import { weightList } from "./recommend.ts";
import { proposalLine, reportLines, runLine } from "./tune/lines.ts";

interface Flags {
  runs?: number;
  tokens?: number;
  hours?: number;
  objective: string;
  test?: string;
  testTask?: string;
  taskData?: string;
  weights?: number[];
  learningRates?: number[];
  key: string[];
  tolerance: number;
  batch: number;
  finalSeeds: number;
  seed: number;
  noise?: number;
  output?: string;
  launcher: "local" | "slurm";
  slurm?: string;
  concurrency?: number;
  retry?: true;
  json?: true;
}

/** As a shell gives them for a process that a signal ended. */
const EXIT = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export function tuneCommand(): Command {
  return new Command("tune")
    .description("search the prompt loss weight and the learning rate in few runs; run it again to go on")
    .argument("<recipe>", "a recipe (.yaml) with an evaluation section: its rows are for the search")
    .option("--runs <number>", "how many runs the search may take", positiveCount)
    .option("--tokens <amount>", "training tokens of the search, as 2M", amount)
    .option("--hours <number>", "time of the search's runs", positive)
    .option("--objective <task>", 'what runs are chosen by: a task, or "task metric"', "held-out")
    .option("--test <data>", "rows of their own that the choice is tested on, for the objective held-out")
    .option("--test-task <name>", "the task that the choice is tested on, for another objective")
    .option("--task-data <folder>", "the folder of the tasks' rows")
    .option("--weights <plw,...>", "the weights that are searched", weightList)
    .option(
      "--learning-rates <rate,...>",
      "the recipe's, a third and three times of it, if left out",
      rateList,
    )
    .option("--key <key=value,...>", "another recipe key that is searched; again for more", collect, [])
    .option("--tolerance <amount>", "stop where one more run is expected to gain less", nonNegative, 0)
    .option("--batch <runs>", "runs proposed at a time, for launchers that run several", positiveCount, 1)
    .option("--final-seeds <number>", "new seeds that the choice is trained with", positiveCount, 2)
    .option("--seed <number>", "of the posterior's draws", wholeNumber, 1)
    .option("--noise <sd>", "what is known of a run's noise, as from a pilot", positive)
    .option("-o, --output <folder>", "the folder of the search; runs/RECIPE-tune if left out")
    .addOption(
      new Option("--launcher <name>", "where cells run").choices(["local", "slurm"]).default("local"),
    )
    .option("--slurm <yaml>", "a study file's slurm section, as '{ partition: gpu, time: 60 }'")
    .option("--concurrency <cells>", "cells at a time", positiveCount)
    .option("--retry", "begin failed cells again")
    .option("--json", "print the report as JSON, and nothing else")
    .action(async (recipe: string, flags: Flags, command: Command) => {
      if (flags.runs === undefined && flags.tokens === undefined && flags.hours === undefined)
        command.error("error: give --runs, --tokens or --hours: the search has to end");
      if (flags.slurm !== undefined && flags.launcher !== "slurm")
        command.error("error: --slurm belongs to --launcher slurm");
      const settings = settingsOf(recipe, flags);
      const abort = new AbortController();
      let ended: keyof typeof EXIT | undefined;
      const handlers = (Object.keys(EXIT) as (keyof typeof EXIT)[]).map((signal) => {
        const handler = (): void => {
          ended ??= signal;
          abort.abort();
        };
        process.on(signal, handler);
        return () => process.removeListener(signal, handler);
      });
      const say = (text: string): void => {
        if (!flags.json) process.stdout.write(`${text}\n`);
      };
      try {
        const report = await tune(settings, {
          ...{ launcher: flags.launcher, retry: flags.retry === true, signal: abort.signal },
          ...{ concurrency: flags.concurrency, onEvent: (event) => say(eventText(event, settings)) },
        });
        if (ended !== undefined) process.exitCode = EXIT[ended];
        else if (report === undefined)
          say(
            flags.launcher === "slurm"
              ? "submitted; run the same command again when the job has ended"
              : "some cells are with another launcher; run the same command again when they have ended",
          );
        else
          process.stdout.write(`${flags.json ? harmlessJson(report, 2) : reportLines(report).join("\n")}\n`);
      } finally {
        for (const remove of handlers) remove();
      }
    });
}

function eventText(event: TuneEvent, { budget: { runs } }: TuneSettings): string {
  switch (event.type) {
    case "propose":
      return event.runs.map((run, i) => proposalLine(run, event.done + i + 1, runs)).join("\n");
    case "run":
      return runLine(event.run);
    case "stop":
      return `${ink.dim("stopped")}  ${event.reason}`;
    case "final":
      return `${ink.dim("test")}     ${event.cells} trainings with new seeds`;
  }
}

function settingsOf(recipe: string, flags: Flags): TuneSettings {
  const { objective, test, testTask, runs, tokens, hours } = flags;
  const heldOut = objective.trim().split(/\s+/)[0] === "held-out";
  const tested = heldOut ? test : testTask;
  if (tested === undefined || (heldOut ? testTask : test) !== undefined)
    throw new PromptlossError("the choice has to be tested on what the search has not seen", {
      hint: heldOut
        ? "give --test FILE, rows that are not in the recipe's data"
        : "give --test-task NAME, a task whose items the objective does not have",
    });
  if (heldOut && flags.taskData !== undefined)
    throw new PromptlossError("--task-data belongs to a task as the objective", {
      hint: "leave it out, or give --objective TASK and --test-task TASK",
    });
  if (!heldOut && testTask === objective.trim().split(/\s+/)[0])
    throw new PromptlossError(`${testTask} is the search's own objective: its items are no test`, {
      hint: "name another task",
    });
  if (heldOut && readRecipe(recipe).evaluation === undefined)
    throw new PromptlossError(`${recipe}: the search needs validation rows`, {
      hint: "give the recipe an evaluation section, as evaluation: { fraction: 0.1 }",
    });
  const name = recipe.replace(/^.*\//, "").replace(/\.ya?ml$/, "");
  return {
    ...{ recipe, objective, taskData: flags.taskData },
    output: flags.output ?? `runs/${name}-tune`,
    weights: [...new Set(flags.weights ?? candidateWeights)].sort((a, b) => a - b),
    learningRates: flags.learningRates && [...new Set(flags.learningRates)].sort((a, b) => a - b),
    keys: searchedKeys(flags.key),
    test: heldOut ? { data: tested } : { task: tested },
    budget: { runs, tokens, hours },
    ...{ tolerance: flags.tolerance, batch: flags.batch, finalSeeds: flags.finalSeeds, seed: flags.seed },
    noise: flags.noise === undefined ? undefined : { sd: flags.noise, df: NOISE_DF },
    slurm: flags.slurm === undefined ? undefined : parseText(flags.slurm, "--slurm", ConfigFileError).value,
  };
}

/** How firmly a noise that the user names is believed. */
const NOISE_DF = 10;

function searchedKeys(texts: readonly string[]): Record<string, unknown[]> {
  const keys = texts.map(searchedKey);
  const twice = keys.find(([key], i) => keys.findIndex(([other]) => other === key) < i);
  if (twice !== undefined)
    throw new PromptlossError(`--key ${twice[0]} is given twice`, {
      hint: "give all of its values at once, as training.epochs=1,2",
    });
  return Object.fromEntries(keys);
}

/** "training.epochs=1,2" */
function searchedKey(text: string): [string, unknown[]] {
  const at = text.indexOf("=");
  const key = text.slice(0, Math.max(at, 0));
  // A list in YAML, so that a value may be a list itself.
  const values =
    key === "" ? [] : parseText(`[${text.slice(at + 1)}]`, `--key ${key}`, ConfigFileError).value;
  if (!Array.isArray(values) || values.length < 2)
    throw new PromptlossError(`--key ${text} names no values to search`, {
      hint: "write it as training.epochs=1,2",
    });
  return [key, values];
}

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
