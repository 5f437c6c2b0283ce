// A run as its folder tells it: the manifest, the last lines of its metrics, the lock, and what else lies there.
import { join } from "node:path";
import { stringify } from "yaml";
import { readJson } from "../../files/atomic.ts";
import { FolderLock } from "../../files/lock.ts";
import { checkpointSteps } from "../../training/checkpoints/index.ts";
import type { StepEvent } from "../../training/events/event.ts";
import { lastMetrics } from "../../training/events/metrics-file.ts";
import type { Manifest } from "../../training/manifest.ts";
import { placeOfCheckpoints } from "../../training/run-folder.ts";
import type { RunCard, RunDetail, RunFacts, RunState } from "../api.ts";
import { generationSets } from "./generations.ts";
import type { RunPlace } from "./scan.ts";

export function readRunCard(place: RunPlace): RunCard | undefined {
  const manifest = readJson<Manifest>(join(place.path, "manifest.json"));
  return isManifest(manifest) ? cardOf(place, manifest) : undefined;
}

export function readRunDetail(place: RunPlace): RunDetail | undefined {
  const manifest = readJson<Manifest>(join(place.path, "manifest.json"));
  if (!isManifest(manifest)) return undefined;
  const { end } = manifest;
  return {
    ...cardOf(place, manifest),
    facts: factsOf(manifest),
    notes: [...(manifest.notes ?? []), ...(manifest.extensions ?? [])],
    checkpoints: checkpointSteps(placeOfCheckpoints(place.path)),
    end: end === undefined || end.reason === "failed" ? null : end,
    error: end?.reason === "failed" ? end.error : null,
    recipe: stringify(manifest.recipe),
    generations: generationSets(place),
    probes: numbersOf(readJson<unknown>(join(place.path, "probes.json"))),
  };
}

/** A file of that name may be anybody's. */
function isManifest(found: Partial<Manifest> | null | undefined): found is Manifest {
  return (
    typeof found?.fingerprint === "string" &&
    typeof found.startedAt === "string" &&
    typeof found.recipe === "object" &&
    found.recipe !== null &&
    [found.steps, found.promptLossWeight].every((each) => typeof each === "number")
  );
}

function cardOf({ id, name, path, study }: RunPlace, manifest: Manifest): RunCard {
  const lines = lastMetrics(join(path, "metrics.jsonl"));
  const steps = lines.filter((line) => line.type === "step");
  const last = steps.at(-1);
  const state = stateOf(path, manifest);
  return {
    ...{ id, name, study: study ?? null, state },
    startedAt: manifest.startedAt,
    model: modelName(manifest.recipe.model),
    promptLossWeight: manifest.promptLossWeight,
    step: last?.step ?? lines.at(-1)?.step ?? manifest.end?.step ?? 0,
    steps: manifest.steps,
    loss: last?.loss ?? null,
    heldOutLoss: lines.findLast((line) => line.type === "evaluation")?.loss ?? null,
    tokensPerSecond: last === undefined ? null : speedOf(steps),
    secondsLeft: state === "running" && last !== undefined ? secondsLeft(steps, manifest.steps) : null,
  };
}

function stateOf(path: string, { end }: Manifest): RunState {
  return FolderLock.isHeld(path) ? "running" : (end?.reason ?? "lost");
}

function modelName(model: unknown): string {
  return typeof model === "string" ? (model.split(/[\\/]/).findLast((part) => part !== "") ?? model) : "";
}

function sum(steps: readonly StepEvent[], of: (step: StepEvent) => number): number {
  return steps.reduce((total, step) => total + of(step), 0);
}

function speedOf(steps: readonly StepEvent[]): number {
  return sum(steps, ({ tokens }) => tokens) / sum(steps, ({ seconds }) => seconds);
}

function secondsLeft(steps: readonly StepEvent[], all: number): number {
  return (sum(steps, ({ seconds }) => seconds) / steps.length) * (all - steps.at(-1)!.step);
}

function factsOf(manifest: Manifest): RunFacts {
  const { normalization, reduceOver, rows, heldOutRows, parameters, trainable, device } = manifest;
  const { precision, threads, processes, seed, processor, platform, libtorch, promptloss, fingerprint } =
    manifest;
  return {
    ...{ normalization, reduceOver, rows, heldOutRows, parameters, trainable, device, precision, threads },
    ...(processes !== undefined && { processes }),
    ...{ seed, processor, platform, libtorch, promptloss, fingerprint },
  };
}

/** Every number of a nested value, by its dotted name. */
function numbersOf(value: unknown, prefix = ""): Record<string, number> {
  if (typeof value === "number") return { [prefix]: value };
  if (typeof value !== "object" || value === null) return {};
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, each]) => numbersOf(each, prefix === "" ? key : `${prefix}.${key}`)),
  );
}
