// `promptloss train`: fine-tunes a model as a recipe says, in a process of its own.
import { Command } from "commander";
import { PromptlossError } from "../errors.ts";
import { readRecipe } from "../recipe/index.ts";
import { harmlessJson } from "../terminal/index.ts";
import type { TrainingEvent } from "../training/events/event.ts";
import { eventFieldLines } from "../training/events/fields.ts";
import { startTrainingProcess } from "../training/start-process.ts";
import { setOption } from "./options.ts";
import { dryRun } from "./train/dry-run.ts";
import { TrainView } from "./train/view.ts";

interface Flags {
  set?: string[];
  dryRun?: true;
  overwrite?: true;
  extend?: true;
  profile?: true;
  events?: true;
  json?: true;
}

export function trainCommand(): Command {
  return new Command("train")
    .description("fine-tune a model as a recipe says; run it again to go on where it stopped")
    .argument("<recipe>", "a recipe (.yaml)")
    .addOption(setOption())
    .option("--dry-run", "print the plan, train nothing")
    .option("--overwrite", "remove what another run left in the output folder")
    .option("--extend", "continue a run that had fewer epochs or steps, from its last checkpoint")
    .option("--profile", "record the operators of steps 3 to 5: a trace and a table in the output folder")
    .option("--events", "print events as JSON lines in place of the live view")
    .option("--json", "with --dry-run: print the plan as JSON")
    .addHelpText("after", () => `\nEvents and their fields (--events):\n${eventFieldLines().join("\n")}`)
    .action(async (file: string, { set = [], overwrite, extend, profile, ...flags }: Flags) => {
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
      if (flags.dryRun) return dryRun(recipe, file, flags.json === true);
      await follow(
        { file, set, overwrite: overwrite === true, extend: extend === true, profile: profile === true },
        flags.events === true,
      );
    });
}

async function follow(
  settings: Parameters<typeof startTrainingProcess>[0],
  asEvents: boolean,
): Promise<void> {
  const view = asEvents ? undefined : new TrainView();
  let failure: Extract<TrainingEvent, { type: "error" }> | undefined;
  const { child, done } = startTrainingProcess(settings, (event) => {
    if (view === undefined) process.stdout.write(`${harmlessJson(event)}\n`);
    else if (event.type !== "error") view.show(event);
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
  if (failure !== undefined && view !== undefined)
    throw new PromptlossError(failure.message, { hint: failure.hint });
}
