// `promptloss evaluate`: tasks on a model, with a table at the end and records on disk.
import type { Command } from "commander";
import { counted } from "../../counted.ts";
import type { WeightDtype } from "../../dtypes.ts";
import {
  type EvaluateEvent,
  type EvaluationScore,
  type ExampleOrder,
  evaluate,
  loadTask,
} from "../../evaluation/index.ts";
import type { Storage } from "../../models/config/storage.ts";
import { harmlessJson, ink } from "../../terminal/index.ts";
import { textTable } from "../../terminal/text-table.ts";
import { errorLines } from "../errors.ts";
import { printNotes } from "../notes.ts";
import { Progress, watchedHub } from "../progress.ts";

interface Flags {
  tasks: string[];
  taskData?: string;
  adapter?: string;
  dtype?: WeightDtype;
  storage?: Storage;
  device?: string;
  strict?: true;
  limit?: number;
  shots?: number;
  shotSeed?: number;
  examples?: ExampleOrder;
  maxLength?: number;
  writeOut?: number | true;
  maxNewTokens?: number;
  batchTokens?: number;
  output?: string;
  overwrite?: true;
  json?: true;
}

type PromptEvent = Extract<EvaluateEvent, { readonly type: "prompt" }>;

function problemOf(error: Error): { message: string; hint?: string } {
  const { hint } = error as { hint?: string };
  return { message: error.message, ...(hint !== undefined && { hint }) };
}

/** An item as the model reads it: where the prompt ends and what is scored behind it. */
function promptText({ task, item, request, truncated }: PromptEvent): string {
  const { prompts, promptIds, continuations = [], continuationIds = [] } = request;
  const at = <T>(all: readonly T[], i: number): T => all[Math.min(i, all.length - 1)]!;
  const count = ({ length }: readonly number[]): string => ink.dim(counted(length, "token"));
  const lines = [ink.bold(`${task}, item ${item}`)];
  const prompt = (i: number): void => {
    const cut = truncated ? ", cut from the left to what is read" : "";
    lines.push(`${ink.dim("prompt")} ${count(at(promptIds, i))}${ink.dim(cut)}`, at(prompts, i));
  };
  if (prompts.length === 1) prompt(0);
  for (const [i, continuation] of continuations.entries()) {
    if (prompts.length > 1) prompt(i);
    lines.push(`${ink.dim("scored")} ${count(at(continuationIds, i))}  ${JSON.stringify(continuation)}`);
  }
  return `${lines.join("\n")}\n\n`;
}

/** Progress and failures on standard error. */
function view(quiet: boolean, onPrompt: (event: PromptEvent) => void): (event: EvaluateEvent) => void {
  let progress = new Progress("items");
  return (event) => {
    if (event.type === "prompt") return onPrompt(event);
    if (event.type === "note") return printNotes([event.note]);
    if (event.type === "task-start") progress = new Progress(`items of ${event.task}`, event.items);
    else if (event.type === "items") progress.show(event.done);
    else progress.end();
    if (event.type === "task-start" && event.done > 0 && !quiet)
      process.stderr.write(`${event.task}: ${event.done} of ${counted(event.items, "item")} done already\n`);
    if (event.type === "task-failed") {
      const { message, hint } = problemOf(event.error);
      process.stderr.write(errorLines(message, hint));
    }
  };
}

function scoresTable(scores: readonly EvaluationScore[]): string {
  const rows = scores.map(({ task, metric, value, standardError, n, higherIsBetter, settings }) => [
    task,
    `${metric} ${higherIsBetter ? "↑" : "↓"}`,
    value.toFixed(4),
    standardError?.toFixed(4) ?? "",
    String(n),
    settings.split,
    String(settings.shots),
    String(settings.truncated),
  ]);
  const header = ["task", "metric", "score", "± s.e.", "items", "split", "shots", "cut"];
  return textTable(
    [header, ...rows],
    ["left", "left", "right", "right", "right", "left", "right", "right"],
  ).join("\n");
}

export async function runEvaluate(
  model: string,
  { tasks, ...flags }: Flags,
  command: Command,
): Promise<void> {
  if (flags.overwrite && flags.output === undefined)
    command.error("error: --overwrite is of a folder with records: give --output too");
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  process.once("SIGINT", stop);
  try {
    const { json, writeOut, taskData, ...options } = flags;
    const prompts: PromptEvent[] = [];
    // Before the weights, which take their time.
    for (const name of tasks) loadTask(name);
    const { scores, failures } = await evaluate({
      model,
      tasks,
      ...options,
      ...(writeOut !== undefined && { writeOut: writeOut === true ? 1 : writeOut }),
      ...(taskData !== undefined && { data: taskData }),
      hub: watchedHub(),
      signal: abort.signal,
      onEvent: view(json === true, (event) => {
        if (json) prompts.push(event);
        else process.stdout.write(promptText(event));
      }),
    });
    const failed = failures.map(({ task, error }) => ({ task, ...problemOf(error) }));
    const printed = {
      ...(writeOut !== undefined && { prompts: prompts.map(({ type: _, ...prompt }) => prompt) }),
      scores,
      failures: failed,
    };
    if (json) process.stdout.write(`${harmlessJson(printed, 2)}\n`);
    else process.stdout.write(scores.length > 0 ? `${scoresTable(scores)}\n` : "");
    if (abort.signal.aborted)
      process.stderr.write(`cut short${flags.output === undefined ? "" : "; run it again to go on"}\n`);
    if (failures.length > 0 || abort.signal.aborted) process.exitCode = 1;
  } finally {
    process.off("SIGINT", stop);
  }
}
