// manifest.json: all that is needed to repeat a run, and how it ended. Reading it needs nothing native.
import { existsSync, readFileSync } from "node:fs";
import type { ProductDtype } from "../dtypes.ts";
import { writeJson } from "../files/atomic.ts";
import type { Recipe } from "../recipe/index.ts";
import { TrainingError } from "./errors.ts";
import type { RunEndReason } from "./events/event.ts";

export interface Manifest {
  readonly promptloss: string;
  readonly node: string;
  readonly libtorch: string;
  readonly platform: string;
  readonly processor: string;
  readonly device: string;
  /** Of each process. */
  readonly threads: number;
  /** That trained together; left out for one. */
  readonly processes?: number;
  /** Of matrix products. */
  readonly precision: ProductDtype;
  /** With every default and every `auto` settled. */
  readonly recipe: Recipe;
  readonly promptLossWeight: number;
  readonly normalization: string;
  readonly reduceOver: string;
  readonly seed: number;
  readonly steps: number;
  readonly rows: number;
  readonly heldOutRows: number;
  readonly parameters: number;
  readonly trainable: number;
  readonly dataHash: string;
  readonly modelHash: string;
  /** Of the reference model, where the loss looks at one. */
  readonly referenceHash?: string;
  readonly fingerprint: string;
  readonly notes: readonly string[];
  readonly startedAt: string;
  /** Of a run that continued shorter ones: at which steps, and what that means for its schedule. */
  readonly extensions?: readonly string[];
  /** There when the run has ended. */
  readonly end?: RunEnd | RunFailure;
}

export interface RunEnd {
  readonly reason: RunEndReason;
  readonly step: number;
  /** The step whose weights lie in model/: the last, or the best; left out where the run was interrupted. */
  readonly writtenStep?: number;
  readonly tokens: number;
  readonly seconds: number;
  readonly peakMemory: number;
  readonly at: string;
}

export interface RunFailure {
  readonly reason: "failed";
  /** Steps done. */
  readonly step: number;
  readonly error: { readonly name: string; readonly message: string; readonly hint?: string };
  readonly at: string;
}

/** How a run ended whose model was written; undefined while there is none. */
export function finishedEnd(manifest: Pick<Manifest, "end"> | undefined): RunEnd | undefined {
  const end = manifest?.end;
  return end === undefined || end.reason === "failed" || end.reason === "interrupted" ? undefined : end;
}

/**
 * Undefined where there is none.
 * @throws {TrainingError} for a file that is not a manifest: nobody can say which run its folder holds
 */
export function readManifest(path: string): Manifest | undefined {
  if (!existsSync(path)) return undefined;
  let found: Partial<Manifest> | null;
  try {
    found = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw damaged(path, "is not JSON", cause);
  }
  if (typeof found?.fingerprint !== "string" || typeof found.recipe !== "object" || found.recipe === null)
    throw damaged(path, "is not the manifest of a run");
  return found as Manifest;
}

function damaged(path: string, what: string, cause?: unknown): TrainingError {
  return new TrainingError(`${path}: ${what}`, {
    hint: "give --overwrite to start anew, or name another output",
    cause,
  });
}

export function writeManifest(path: string, manifest: Manifest): void {
  writeJson(path, manifest);
}
