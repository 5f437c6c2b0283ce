// A whole run: prepare, train, write the model, probe it. What `promptloss train` does in its process, and what a
// program calls.
import { existsSync } from "node:fs";
import { getNumThreads } from "@promptloss/torch";
import { savedTemplate } from "../data/tokens/index.ts";
import { LostLockError } from "../files/lock.ts";
import { specialId, templateStop } from "../generation/text/template-stop.ts";
import { parameterToWrite } from "../models/decoder/parts.ts";
import { type Companions, type PackLossFunction, saveAdapter, saveModel } from "../models/index.ts";
import { adapterOf, type Recipe } from "../recipe/index.ts";
import { unseen } from "./checkpoints/index.ts";
import { TrainingError } from "./errors.ts";
import type { EventListener, RunEndReason, StartEvent, TrainingEvent } from "./events/event.ts";
import { readMetrics } from "./events/metrics-file.ts";
import { RunEvents } from "./events/run-events.ts";
import { checkSinks, lacksSome, Sinks } from "./events/sinks/sinks.ts";
import {
  finishedEnd,
  type Manifest,
  type RunEnd,
  type RunFailure,
  readManifest,
  writeManifest,
} from "./manifest.ts";
import { manifestOf } from "./manifest-of.ts";
import { type PrepareOptions, prepareRun } from "./prepare.ts";
import { type Probes, probeRun, writeProbes } from "./probes/index.ts";
import { StepProfiler } from "./profile.ts";
import type { Ranks } from "./ranks/index.ts";
import type { TrainingRun } from "./run.ts";
import { placeOfCheckpoints, RunFolder } from "./run-folder.ts";
import { train } from "./train.ts";
import type { TrainResult } from "./trainer.ts";

const INEXACT_TEMPLATE =
  "other servers will encode chats otherwise than training did: this tokenizer makes other tokens of a chat " +
  "with BOS written out; promptloss serve encodes them as training did";

export interface RunTrainingOptions extends PrepareOptions {
  readonly onEvent?: EventListener;
  /** Ends the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Remove what another run left in the output folder. */
  readonly overwrite?: boolean;
  /** Continue a run in the output folder that differs in its length alone, from its last checkpoint. */
  readonly extend?: boolean;
  /** In place of the weighted cross entropy; the same function again is needed to go on with a run. */
  readonly loss?: PackLossFunction;
  /** Leave a trace of some steps' operators in the output folder. */
  readonly profile?: boolean;
}

export interface FinishedRun {
  readonly manifest: Manifest;
  /** The model's folder; undefined where the run was interrupted. */
  readonly model: string | undefined;
  readonly probes: Probes | undefined;
}

/**
 * Trains as a recipe says, into its output folder; goes on where an earlier process stopped.
 * @throws {PromptlossError} of many kinds, each with what to do; the last checkpoint is intact then, and the manifest
 * says how the run failed. {LostLockError} where another process took the folder over: nothing more is written then
 * @example
 * ```ts
 * import { readRecipe, runTraining } from "promptloss";
 *
 * const { manifest, model } = await runTraining(readRecipe("recipe.yaml"), {
 *   onEvent: (event) => {
 *     if (event.type === "step") console.log(`step ${event.step}: ${event.loss}`);
 *   },
 * });
 * console.log(manifest.end?.reason, model);
 * ```
 */
export async function runTraining(recipe: Recipe, options: RunTrainingOptions = {}): Promise<FinishedRun> {
  const { ranks } = options;
  const { processes = 1 } = recipe.training;
  if (processes > 1 && ranks === undefined)
    throw new TrainingError(`training.processes: ${processes}, and this is one process`, {
      hint: "promptloss train starts them; a program gives runTraining its ranks",
    });
  checkSinks(recipe, process.env);
  const run = await prepareRun(recipe, {
    ...(options.onEvent && { onProgress: options.onEvent }),
    ...options,
  });
  try {
    // Until now the others waited: what the first reads and tokenizes they find in the cache.
    ranks?.group.barrier();
    ranks?.agreeOn(run);
    using folder = new RunFolder(run, options);
    const before = readManifest(folder.manifest);
    const end = folder.extended === undefined ? finishedEnd(before) : undefined;
    ranks?.textOfFirst(end === undefined ? TRAINS : IS_DONE);
    if (before !== undefined && end !== undefined) {
      options.onEvent?.({ type: "note", message: `${folder.path} holds this very run, finished` });
      if (lacksSome(run.recipe, folder)) await sendFinished(run, folder, before, end, options);
      options.onEvent?.(endEvent(end, folder.model));
      return { manifest: before, model: folder.model, probes: undefined };
    }
    const extensions = [...(before?.extensions ?? []), ...(folder.extended ? [folder.extended] : [])];
    const started: Manifest = {
      ...manifestOf(run),
      ...(before && { startedAt: before.startedAt }),
      ...(extensions.length > 0 && { extensions }),
    };
    if (folder.extended !== undefined) options.onEvent?.({ type: "note", message: folder.extended });
    writeManifest(folder.manifest, started);
    const events = new RunEvents(run.recipe, folder, (event) => options.onEvent?.(event));
    try {
      return await trainInto(run, folder, events, started, options);
    } catch (error) {
      // Another process's manifest is not this one's to write.
      const isOurs = !(error instanceof LostLockError);
      if (isOurs) noteFailure(folder.manifest, started, events.lastStep, error);
      await events.close(isOurs ? { reason: "failed", at: Date.now() } : undefined, options.signal);
      throw error;
    }
  } finally {
    run.free();
  }
}

/** What rank 0 tells the others once the folder is its own. */
const TRAINS = "trains";
const IS_DONE = "is done";

/**
 * What all ranks but the first do of {@link runTraining}: they compute their share and write nothing.
 * @returns how the run ended; undefined where it was finished before
 * @throws {ProcessGroupError} where another rank failed or is gone
 */
export async function followTraining(
  recipe: Recipe,
  options: RunTrainingOptions & { readonly ranks: Ranks },
): Promise<RunEndReason | undefined> {
  const { ranks, signal, loss } = options;
  ranks.group.barrier();
  const run = await prepareRun(recipe, options);
  try {
    ranks.agreeOn(run);
    if (ranks.textOfFirst("") === IS_DONE) return undefined;
    if (run.shards !== undefined && !existsSync(run.output)) throw unseen(run.output, ranks.rank);
    const { reason } = await train(run, {
      checkpoints: placeOfCheckpoints(run.output),
      ranks,
      ...(signal && { signal }),
      ...(loss && { loss }),
    });
    // The first measures and writes the model, for which it needs all weights.
    if (reason !== "interrupted") run.shards?.follow();
    return reason;
  } finally {
    run.free();
  }
}

async function trainInto(
  run: TrainingRun,
  folder: RunFolder,
  events: RunEvents,
  started: Manifest,
  { onEvent = () => {}, signal, profile = false, loss, ranks }: RunTrainingOptions,
): Promise<FinishedRun> {
  using profiler = profile ? new StepProfiler(folder.profile, onEvent) : undefined;
  const result = await train(run, {
    checkpoints: folder.checkpoints,
    ...(signal && { signal }),
    ...(loss && { loss }),
    ...(ranks && { ranks }),
    onStart: (firstStep) => {
      const start = startEvent(run, started, firstStep);
      events.open(run.recipe, start, Date.parse(started.startedAt));
      onEvent(start);
    },
    // In the run's files before anyone hears of it. A step's event comes before its checkpoint.
    onEvent: (event) => {
      folder.check();
      events.add(event);
      onEvent(event);
      profiler?.add(event);
    },
  });
  profiler?.close();
  folder.check();
  const end: RunEnd = { ...endOf(result), at: new Date().toISOString() };
  const ended = { reason: end.reason, at: Date.parse(end.at) };
  const manifest: Manifest = { ...started, end };
  if (result.writtenStep === undefined) {
    writeManifest(folder.manifest, manifest);
    await events.close(ended, signal);
    onEvent(endEvent(end, undefined));
    return { manifest, model: undefined, probes: undefined };
  }
  run.shards?.startLeading();
  const probes = await probeRun(run, folder, result.writtenStep, (message) =>
    onEvent({ type: "note", message }),
  );
  folder.check();
  writeProbes(folder.probes, probes);
  await writeModel(run, folder.model, onEvent);
  run.shards?.stopLeading();
  writeManifest(folder.manifest, manifest);
  await events.close(ended, signal);
  onEvent(endEvent(end, folder.model));
  return { manifest, model: folder.model, probes };
}

/** Gives servers what they lack of a run that ended before, since they did not answer then or were not asked. */
async function sendFinished(
  run: TrainingRun,
  folder: RunFolder,
  manifest: Manifest,
  end: RunEnd,
  { onEvent = () => {}, signal }: RunTrainingOptions,
): Promise<void> {
  const { recipe } = run;
  // Files of other sinks were written with the run.
  const reportTo = recipe.logging.reportTo.filter((name) => name === "mlflow");
  const sinks = new Sinks({ logging: { ...recipe.logging, reportTo } }, folder, onEvent);
  const start = startEvent(run, manifest, end.step);
  const past = readMetrics(folder.metrics);
  sinks.open({ recipe, start, startedAt: Date.parse(manifest.startedAt), past });
  await sinks.close({ reason: end.reason, at: Date.parse(end.at) }, signal);
}

/** Says in the manifest how a run failed; where that fails too, as on a full disk, the first error is what counts. */
function noteFailure(path: string, started: Manifest, step: number, error: unknown): void {
  const { name, message, hint } = error as Error & { hint?: string };
  const known = {
    name: name ?? "Error",
    message: message ?? String(error),
    ...(hint !== undefined && { hint }),
  };
  const end: RunFailure = { reason: "failed", step, error: known, at: new Date().toISOString() };
  try {
    writeManifest(path, { ...started, end });
  } catch {}
}

function startEvent(run: TrainingRun, manifest: Manifest, firstStep: number): StartEvent {
  return {
    type: "start",
    run: run.output,
    model: run.recipe.model!,
    parameters: manifest.parameters,
    trainable: manifest.trainable,
    rows: manifest.rows,
    heldOutRows: manifest.heldOutRows,
    tokens: run.rows.lengths.reduce((sum, length) => sum + length, 0),
    epochs: run.batches.epochs,
    steps: run.batches.steps,
    firstStep,
    promptLossWeight: run.promptLossWeight,
    normalization: manifest.normalization,
    device: manifest.device,
    precision: manifest.precision,
    threads: getNumThreads(),
    ...(run.processes > 1 && { processes: run.processes }),
    notes: run.notes,
  };
}

function endOf({ reason, step, writtenStep, tokens, seconds, peakMemory }: TrainResult) {
  return {
    reason,
    step,
    ...(writtenStep !== undefined && { writtenStep }),
    tokens,
    seconds,
    peakMemory,
  };
}

function endEvent(
  { reason, step, seconds, peakMemory, writtenStep }: RunEnd,
  model: string | undefined,
): TrainingEvent {
  return {
    type: "end",
    reason,
    step,
    seconds,
    peakMemory,
    ...(model !== undefined && { model }),
    ...(writtenStep !== undefined && { writtenStep }),
  };
}

/** The trained model as a Hugging Face folder, or the adapter as a PEFT folder. */
async function writeModel(run: TrainingRun, folder: string, onEvent: EventListener): Promise<void> {
  const { model, recipe } = run;
  const { exact = true, ...companions } = await companionsOf(run);
  if (!exact) onEvent({ type: "note", message: INEXACT_TEMPLATE });
  const adapter = adapterOf(recipe);
  if (model.adapter !== undefined && !adapter?.merge)
    saveAdapter(model.adapter, folder, {
      baseModel: companions.model,
      storage: adapter?.base,
      companions,
      read: (name) => parameterToWrite(model, name),
    });
  else {
    const base = adapter?.base;
    if (base !== undefined)
      onEvent({
        type: "note",
        message: `${adapter?.key}.merge: the adapter is merged into what the weights in ${base} expand to, which it was trained on`,
      });
    saveModel(model, folder, { companions, merge: true });
  }
}

/** The tokenizer that was trained with, and what it was taught: the template's chats and the token that ends answers. */
async function companionsOf({
  recipe,
  tokenizer,
  template,
}: TrainingRun): Promise<Companions & { readonly exact?: boolean }> {
  const model = recipe.model!;
  if (tokenizer === undefined) return { model };
  const saved = template === undefined ? undefined : await savedTemplate(template, tokenizer);
  const stop = template === undefined ? undefined : templateStop(template);
  const stopId = stop === undefined ? undefined : specialId(tokenizer, stop);
  return {
    model,
    tokenizer: tokenizer.path,
    ...(saved !== undefined && { chatTemplate: saved.jinja, exact: saved.exact }),
    stopIds: [...new Set([...(stopId === undefined ? [] : [stopId]), ...tokenizer.stopIds])],
  };
}
