// `promptloss tune`: a search of few runs over the prompt loss weight and the learning rate, resumed by running it again.
import type { Command } from "commander";
import { ConfigFileError, parseText } from "../../config-file/index.ts";
import { PromptlossError } from "../../errors.ts";
import { readRecipe } from "../../recipe/index.ts";
import { candidateWeights } from "../../statistics/index.ts";
import { type TuneEvent, type TuneSettings, tune } from "../../study/index.ts";
import { harmlessJson, ink } from "../../terminal/index.ts";
import { keysGiven } from "../options.ts";
import { proposalLine, reportLines, runLine } from "../tune/lines.ts";

interface Flags {
  set?: string[];
  strict?: true;
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
  const set = keysGiven(flags);
  if (heldOut && readRecipe(recipe, { set }).evaluation === undefined)
    throw new PromptlossError(`${recipe}: the search needs validation rows`, {
      hint: "give the recipe an evaluation section, as evaluation: { fraction: 0.1 }",
    });
  const name = recipe.replace(/^.*\//, "").replace(/\.ya?ml$/, "");
  return {
    ...{ recipe, objective, taskData: flags.taskData },
    ...(set.length > 0 && { set }),
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

export async function runTune(recipe: string, flags: Flags, command: Command): Promise<void> {
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
    else if (report === undefined) {
      const waiting =
        flags.launcher === "slurm"
          ? "submitted; run the same command again when the job has ended"
          : "some cells are with another launcher; run the same command again when they have ended";
      process.stdout.write(`${flags.json ? harmlessJson({ waiting }, 2) : waiting}\n`);
    } else process.stdout.write(`${flags.json ? harmlessJson(report, 2) : reportLines(report).join("\n")}\n`);
  } finally {
    for (const remove of handlers) remove();
  }
}
