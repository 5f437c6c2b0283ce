// How much memory a run will want, in bytes: an estimate from shapes, for a plan. Not a measurement.
import { itemSize } from "@promptloss/torch";
import type { Architecture, LayerPlan } from "../models/config/architecture.ts";
import { partOfParameter, partsOf } from "../models/decoder/parts.ts";
import type { Recipe } from "../recipe/index.ts";
import type { TrainingRun } from "./run.ts";

type Sharding = Recipe["training"]["sharding"];

/** Of each process. */
export interface MemoryEstimate {
  /** With what penalties keep of the starting weights and, under `full`, with what is gathered at one time. */
  readonly weights: number;
  readonly gradients: number;
  readonly optimizer: number;
  readonly activations: number;
  readonly total: number;
}

/** How processes divide what is trained. */
export interface Division {
  readonly sharding: Sharding;
  readonly processes: number;
}

const SHARDINGS = ["none", "optimizer", "gradients", "full"] as const satisfies readonly Sharding[];

/** Tensors [tokens, hidden size] of a layer that the backward pass needs: norms, projections, attention, residuals. */
const WIDE_ACTIVATIONS = 14;
/** Those [tokens, intermediate size]. */
const MLP_ACTIVATIONS = 4;
/** Those [tokens, hidden size] of each expert that a token goes to: its row, and what comes back by experts and by tokens. */
const EXPERT_ACTIVATIONS = 3;
const FLOAT32 = 4;

type Estimated = Pick<TrainingRun, "model" | "settings" | "rows">;

export function memoryEstimate(run: Estimated, { sharding, processes }: Division): MemoryEstimate {
  const { model, settings } = run;
  const parts = partBytes(run);
  const [all, trained] = [sum(parts.map((part) => part.all)), sum(parts.map((part) => part.trained))];
  const share = (bytes: number, isDivided: boolean): number => (isDivided ? bytes / processes : bytes);
  const [optimizer, gradients, full] = SHARDINGS.slice(1).map(
    (mode) => processes > 1 && SHARDINGS.indexOf(sharding) >= SHARDINGS.indexOf(mode),
  ) as [boolean, boolean, boolean];
  const copies =
    (settings.minkowski ? share(trained, optimizer) : 0) +
    (settings.kl && !model.adapter ? share(all, full) : 0);
  // The part that computes and the next.
  const gathered = Math.max(...parts.slice(1).map((part, place) => part.used + parts[place]!.used));
  // A part's gradients lie once as they come and once as they travel.
  const travelling = 2 * Math.max(...parts.map((part) => part.trained));
  const estimate = {
    weights: share(all, full) + (full ? gathered : 0) + copies,
    gradients: share(trained, gradients) + (gradients ? travelling : 0),
    optimizer: share(2 * trained, optimizer),
    activations: activationBytes(run),
  };
  return { ...estimate, total: sum(Object.values(estimate)) };
}

/** What a run takes of each process under every mode. */
export function memoryByMode(run: Estimated, processes: number): Record<Sharding, MemoryEstimate> {
  const entries = SHARDINGS.map((sharding) => [sharding, memoryEstimate(run, { sharding, processes })]);
  return Object.fromEntries(entries) as Record<Sharding, MemoryEstimate>;
}

/** The first mode, in the order of what they send, that fits; undefined where none does. */
export function firstThatFits(
  modes: Readonly<Record<Sharding, MemoryEstimate>>,
  memory: number,
): Sharding | undefined {
  return SHARDINGS.find((mode) => modes[mode].total <= memory);
}

interface PartBytes {
  readonly all: number;
  readonly trained: number;
  /** While the part computes: with a head that is the embedding's. */
  readonly used: number;
}

function partBytes({ model }: Estimated): PartBytes[] {
  const { architecture, parameters, blocks, adapter } = model;
  const tensors = [...parameters, ...(adapter?.parameters ?? [])].map(
    ([name, { numel, dtype, requiresGrad }]) => ({
      part: partOfParameter(architecture, name),
      bytes: numel * itemSize(dtype),
      isTrained: requiresGrad,
    }),
  );
  for (const [name, { bytes }] of blocks)
    tensors.push({ part: partOfParameter(architecture, name), bytes, isTrained: false });
  const ofParts = partsOf(architecture).map((part) => {
    const own = tensors.filter((tensor) => tensor.part === part);
    const all = sum(own.map(({ bytes }) => bytes));
    return { part, all, trained: sum(own.map(({ bytes, isTrained }) => (isTrained ? bytes : 0))), used: all };
  });
  const [input] = ofParts;
  return ofParts.map(({ part, ...bytes }) =>
    part === "output" && architecture.tied ? { ...bytes, used: bytes.all + input!.all } : bytes,
  );
}

function activationBytes({ model, settings, rows }: Estimated): number {
  const longest = rows.lengths.reduce((most, length) => Math.max(most, length), 0);
  const tokens =
    "tokens" in settings.microBatch ? settings.microBatch.tokens : settings.microBatch.rows * longest;
  const { architecture } = model;
  const element = settings.compute === undefined ? FLOAT32 : 2;
  const perToken = architecture.layers.map((layer) => activationsOf(architecture, layer) * element);
  const kept = settings.gradientCheckpointing
    ? Math.max(...perToken) + architecture.layers.length * architecture.hiddenSize * element
    : sum(perToken);
  return tokens * kept;
}

/** Elements that a layer keeps of a token for the backward pass. */
function activationsOf({ hiddenSize, intermediateSize }: Architecture, { experts }: LayerPlan): number {
  if (experts === undefined) return WIDE_ACTIVATIONS * hiddenSize + MLP_ACTIVATIONS * intermediateSize;
  const { perToken, shared } = experts;
  const inner = perToken * experts.intermediateSize + (shared?.intermediateSize ?? 0);
  return (WIDE_ACTIVATIONS + EXPERT_ACTIVATIONS * perToken) * hiddenSize + MLP_ACTIVATIONS * inner;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
