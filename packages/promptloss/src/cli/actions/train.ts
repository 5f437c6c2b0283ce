import { PromptlossError } from "../../errors.ts";
import { readRecipe } from "../../recipe/index.ts";
import { harmlessJson } from "../../terminal/index.ts";
import type { TrainingEvent } from "../../training/events/event.ts";
import { checkSinks } from "../../training/events/sinks/sinks.ts";
import { launcherPlacement } from "../../training/ranks/index.ts";
import { startTrainingProcess } from "../../training/start-process.ts";
import { keysGiven } from "../options.ts";
import { dryRun } from "../train/dry-run.ts";
import { TrainView } from "../train/view.ts";

interface Flags {
  set?: string[];
  strict?: true;
  processes?: number;
  dryRun?: true;
  overwrite?: true;
  extend?: true;
  profile?: true;
  events?: true;
  json?: true;
}

async function follow(
  settings: Parameters<typeof startTrainingProcess>[0],
  { asEvents, isFirst }: { asEvents: boolean; isFirst: boolean },
): Promise<void> {
  // Of the processes that a launcher started, the first alone shows the run.
  const view = asEvents || !isFirst ? undefined : new TrainView();
  view?.begin();
  let failure: Extract<TrainingEvent, { type: "error" }> | undefined;
  const { child, done } = startTrainingProcess(settings, (event) => {
    if (asEvents && isFirst) process.stdout.write(`${harmlessJson(event)}\n`);
    else if (event.type !== "error") view?.show(event);
    if (event.type === "error") failure = event;
  });
  // A terminal's Ctrl-C reaches the child itself; a signal sent to this process alone is passed on.
  const pass = (signal: NodeJS.Signals) => (): void => {
    view?.interrupt();
    child.kill(signal);
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, pass(signal));
  try {
    process.exitCode = await done;
  } finally {
    view?.end();
    for (const signal of ["SIGINT", "SIGTERM"]) process.removeAllListeners(signal);
  }
  if (failure !== undefined && !(asEvents && isFirst))
    throw new PromptlossError(failure.message, { hint: failure.hint });
}

export async function runTrain(
  file: string,
  { processes, overwrite, extend, profile, ...flags }: Flags,
): Promise<void> {
  const set = keysGiven(flags);
  if (processes !== undefined) set.push(`training.processes=${processes}`);
  if (flags.json && !flags.dryRun)
    throw new PromptlossError("--json belongs to --dry-run", {
      hint: "--events prints a run as JSON lines",
    });
  const useless = Object.entries({ overwrite, extend, profile, events: flags.events }).find(
    ([, given]) => given,
  );
  if (flags.dryRun && useless !== undefined)
    throw new PromptlossError(`--dry-run trains nothing, so --${useless[0]} has no use`, {
      hint: "leave one of the two out",
    });
  if (overwrite && extend)
    throw new PromptlossError("--overwrite starts anew and --extend continues", {
      hint: "give one of the two",
    });
  // Checked here first, so that a wrong recipe is told before a process starts.
  const recipe = readRecipe(file, { set });
  const isFirst = (launcherPlacement(recipe)?.rank ?? 0) === 0;
  if (isFirst) checkSinks(recipe, process.env);
  if (flags.dryRun) return dryRun(recipe, file, flags.json === true);
  await follow(
    { file, set, overwrite: overwrite === true, extend: extend === true, profile: profile === true },
    { asEvents: flags.events === true, isFirst },
  );
}
