// How far training moved the weights from where they started: Minkowski distances of order 1 and 2 and the cosine,
// over all weights and by group of layers. An adapter counts as the change that it makes to the weights it adapts; one that no weights can hold counts as none.
import { noGrad, scope, type Tensor } from "@promptloss/torch";
import { ADAPTER_TRAITS } from "../../models/config/adapters.ts";
import { heldParameter } from "../../models/decoder/parts.ts";
import type { Adapter, CausalLanguageModel } from "../../models/index.ts";
import { TrainingError } from "../errors.ts";

export interface Distance {
  readonly weights: number;
  /** Σ |w − w₀|. */
  readonly l1: number;
  /** (Σ (w − w₀)²)^½. */
  readonly l2: number;
  /** w·w₀ / (|w| |w₀|); undefined where all weights of one side are 0. */
  readonly cosine: number | undefined;
}

export interface Distances {
  readonly all: Distance;
  /** `embedding`, `layer 0` and on, `rest`. */
  readonly groups: Readonly<Record<string, Distance>>;
}

interface Sums {
  weights: number;
  l1: number;
  squares: number;
  dot: number;
  now: number;
  start: number;
}

/**
 * @param start the weights that training began with, by the model's names; each is asked for once, and the caller's
 * @throws {TrainingError} naming a tensor with a weight that is not finite
 */
export function distancesOf(model: CausalLanguageModel, start: (name: string) => Tensor): Distances {
  const all = emptySums();
  const groups = new Map<string, Sums>();
  noGrad(() => {
    for (const name of model.weightNames)
      scope(() => {
        const weight = heldParameter(model, name);
        const from = start(name).to({ device: model.device }).double();
        const now = model.adapter === undefined ? weight.double() : adaptedWeight(model.adapter, name, from);
        const group = groupOf(model, name);
        if (!groups.has(group)) groups.set(group, emptySums());
        const found = sumsOf(now, from);
        if (!Number.isFinite(found.now + found.start))
          throw new TrainingError(`${name} has a weight that is not finite`, {
            hint: "lower training.learningRate; the last checkpoint is as it was",
          });
        for (const sums of [all, groups.get(group)!]) add(sums, found);
      });
  });
  return {
    all: distance(all),
    groups: Object.fromEntries([...groups].map(([name, sums]) => [name, distance(sums)])),
  };
}

/** What the adapter makes of a weight. The model's own is not looked at: it may be held in fewer bits than it came in. */
function adaptedWeight(adapter: Adapter, name: string, from: Tensor): Tensor {
  if (!ADAPTER_TRAITS[adapter.kind].mergeable) return from;
  return adapter.merged(name, from) ?? from;
}

function groupOf(model: CausalLanguageModel, name: string): string {
  const { names, encoder } = model.architecture;
  const layerOf = (layers: string): string | undefined =>
    name.startsWith(`${layers}.`) ? `layer ${name.slice(layers.length + 1).split(".")[0]}` : undefined;
  const encoderLayer = encoder && layerOf(encoder.stack.names.layers);
  const tables = [names.embedding, names.positions, encoder?.stack.names.positions];
  const isEmbedding = tables.some((module) => name === `${module}.weight`);
  return (
    layerOf(names.layers) ??
    (encoderLayer && `encoder ${encoderLayer}`) ??
    (isEmbedding ? "embedding" : "rest")
  );
}

function emptySums(): Sums {
  return { weights: 0, l1: 0, squares: 0, dot: 0, now: 0, start: 0 };
}

function sumsOf(now: Tensor, start: Tensor): Sums {
  return scope(() => {
    const change = now.sub(start);
    return {
      weights: now.numel,
      l1: change.abs().sum().item(),
      squares: change.square().sum().item(),
      dot: now.mul(start).sum().item(),
      now: now.square().sum().item(),
      start: start.square().sum().item(),
    };
  });
}

function add(into: Sums, from: Sums): void {
  for (const name of Object.keys(into) as (keyof Sums)[]) into[name] += from[name];
}

function distance({ weights, l1, squares, dot, now, start }: Sums): Distance {
  return {
    weights,
    l1,
    l2: Math.sqrt(squares),
    cosine: now === 0 || start === 0 ? undefined : dot / Math.sqrt(now * start),
  };
}
