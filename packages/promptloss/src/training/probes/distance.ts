// How far training moved the weights from where they started: Minkowski distances of order 1 and 2 and the cosine,
// over all weights and by group of layers. An adapter counts as the change that it makes to the weights it adapts.
import { noGrad, scope, type Tensor } from "@promptloss/torch";
import type { CausalLanguageModel } from "../../models/index.ts";
import { adapterWeight } from "../../models/lora/peft.ts";

export interface Distance {
  readonly weights: number;
  /** Σ |w − w₀|. */
  readonly l1: number;
  /** (Σ (w − w₀)²)^½. */
  readonly l2: number;
  /** w·w₀ / (|w| |w₀|). */
  readonly cosine: number;
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

/** @param start the weights that training began with, by the model's names; each is asked for once, and the caller's */
export const distancesOf = (model: CausalLanguageModel, start: (name: string) => Tensor): Distances => {
  const all = emptySums();
  const groups = new Map<string, Sums>();
  noGrad(() => {
    for (const [name, weight] of model.parameters)
      scope(() => {
        const from = start(name).double();
        const module = name.replace(/\.weight$/, "");
        const adapted = model.adapter?.pairs.has(module) && name.endsWith(".weight");
        const now = adapted ? from.add(adapterWeight(model.adapter!, module).double()) : weight.double();
        const group = groupOf(model, name);
        if (!groups.has(group)) groups.set(group, emptySums());
        for (const sums of [all, groups.get(group)!]) add(sums, now, from);
      });
  });
  return {
    all: distance(all),
    groups: Object.fromEntries([...groups].map(([name, sums]) => [name, distance(sums)])),
  };
};

const groupOf = (model: CausalLanguageModel, name: string): string => {
  const { layers, embedding, positions } = model.architecture.names;
  if (name.startsWith(`${layers}.`)) return `layer ${name.slice(layers.length + 1).split(".")[0]}`;
  const isEmbedding = [embedding, positions].some((module) => name === `${module}.weight`);
  return isEmbedding ? "embedding" : "rest";
};

const emptySums = (): Sums => ({ weights: 0, l1: 0, squares: 0, dot: 0, now: 0, start: 0 });

const add = (sums: Sums, now: Tensor, start: Tensor): void =>
  scope(() => {
    const change = now.sub(start);
    sums.weights += now.numel;
    sums.l1 += change.abs().sum().item();
    sums.squares += change.square().sum().item();
    sums.dot += now.mul(start).sum().item();
    sums.now += now.square().sum().item();
    sums.start += start.square().sum().item();
  });

const distance = ({ weights, l1, squares, dot, now, start }: Sums): Distance => ({
  weights,
  l1,
  l2: Math.sqrt(squares),
  cosine: dot / Math.sqrt(now * start),
});
