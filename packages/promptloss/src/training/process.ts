// The process that trains: started by `promptloss train`, by a study, or by hand. Events go to standard output, a JSON
// object a line; SIGINT and SIGTERM end the run after the step at hand, with a checkpoint. One of several that train
// together where a launcher says so or the recipe asks for it: then only the first prints events.
// Usage: node process.js '{"file": "recipe.yaml", "set": ["training.epochs=1"], "overwrite": false}'
import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";
import { TorchError } from "@promptloss/torch";
import { PromptlossError } from "../errors.ts";
import { HUB_CHANNEL, type HubMessage, type HubProgress } from "../hub/index.ts";
import { type Recipe, readRecipe } from "../recipe/index.ts";
import { deviceOf } from "./device.ts";
import type { ErrorEvent, RunEndReason, TrainingEvent } from "./events/event.ts";
import { type Launched, launchRanks, Ranks } from "./ranks/index.ts";
import { followTraining, type RunTrainingOptions, runTraining } from "./run-training.ts";

/** What the process is told, as JSON in its first argument. */
export interface ProcessArguments {
  readonly file: string;
  readonly set?: readonly string[];
  readonly overwrite?: boolean;
  readonly extend?: boolean;
  readonly profile?: boolean;
}

/** Exit codes: as a shell gives them for a process that a signal ended. */
export const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

// Written whole before the next step begins: a reader that is gone must not keep the run from its checkpoint.
function print(event: TrainingEvent): void {
  try {
    writeSync(1, `${JSON.stringify(event)}\n`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}

async function main(): Promise<void> {
  const settings = JSON.parse(process.argv[2] ?? "{}") as ProcessArguments;
  const { file, set = [], overwrite = false, extend = false, profile = false } = settings;
  const abort = new AbortController();
  for (const [signal, code] of Object.entries(INTERRUPTED))
    process.on(signal, () => {
      process.exitCode = code;
      abort.abort();
    });
  let launched: Launched | undefined;
  followModels();
  try {
    const recipe = readRecipe(file, { set });
    launched = await launchRanks(recipe, process.argv.slice(1));
    const reason = await runRank(recipe, launched, {
      file,
      overwrite,
      extend,
      profile,
      hub: { onProgress: downloadEvents() },
      onEvent: print,
      signal: abort.signal,
    });
    // A signal that came after the last step stopped nothing.
    if (reason !== "interrupted") process.exitCode = 0;
  } catch (error) {
    process.exitCode = 1;
    const event = errorEvent(error);
    print(event);
    // The first rank's output is not where this one's goes.
    const { placement } = launched ?? {};
    if (placement !== undefined && placement.rank > 0)
      process.stderr.write(`rank ${placement.rank}: ${event.message}\n`);
  }
  await launched?.end();
}

/** Trains as one of the processes that there are. */
async function runRank(
  recipe: Recipe,
  { placement, meeting }: Launched,
  options: RunTrainingOptions,
): Promise<RunEndReason | "failed" | undefined> {
  if (placement === undefined) return (await runTraining(recipe, options)).manifest.end?.reason;
  const device = deviceOf(recipe.training.device, placement);
  const timeout = recipe.training.processTimeout;
  using ranks = new Ranks({ placement, device, timeout, meeting: meeting ?? timeout });
  try {
    if (!ranks.isFirst) return await followTraining(recipe, { ...options, ranks });
    return (await runTraining(recipe, { ...options, ranks })).manifest.end?.reason;
  } catch (error) {
    ranks.leave(error as Error);
    throw error;
  }
}

const DOWNLOAD_INTERVAL_MS = 250;

/** Of models; data tells by a way of its own. */
function followModels(): void {
  const onProgress = downloadEvents();
  subscribe(HUB_CHANNEL, (told) => {
    const message = told as HubMessage;
    if (message.type === "progress") onProgress(message);
    else print({ type: "note", message: message.text });
  });
}

/** Now and then, and at the end of every file. */
function downloadEvents(): (progress: HubProgress) => void {
  let last = 0;
  return ({ file, loaded, total }) => {
    const now = Date.now();
    if (loaded < total && now - last < DOWNLOAD_INTERVAL_MS) return;
    last = now;
    print({ type: "download", file, loaded, total });
  };
}

function errorEvent(error: unknown): ErrorEvent {
  const { name, message, stack, hint } = error as Error & { hint?: string };
  const known = error instanceof PromptlossError || error instanceof TorchError;
  const full = known ? message : (stack ?? String(error));
  const advice = isFull(error)
    ? "free some space and run the same command again; it resumes from the last checkpoint"
    : hint;
  return { type: "error", name, message: full, ...(advice !== undefined && { hint: advice }) };
}

/** Whether a disk, or what a user may write to it, is full. */
function isFull(error: unknown): boolean {
  const { code, cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  if (code === "ENOSPC" || code === "EFBIG" || code === "EDQUOT") return true;
  return cause instanceof Error && isFull(cause);
}

await main();
