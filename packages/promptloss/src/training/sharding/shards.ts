// A model's training state, divided among the processes that train it (Rajbhandari et al., 2020: ZeRO). Each part of the
// model is one vector, of which every process owns an equal share; what a process owns is all that its optimizer sees.
//   optimizer   moments of the own share alone; gradients are divided once a batch
//   gradients   that, and gradients of the own share alone: divided as the backward pass leaves each part
//   full        that, and weights of the own share alone: gathered as a part is entered, given back as it is left
import {
  customFunction,
  type DType,
  empty,
  isGradEnabled,
  itemSize,
  keep,
  noGrad,
  returningMemory,
  scope,
  type Tensor,
  zeros,
} from "@promptloss/torch";
import { giveBackMemory, type PendingOperation, takeMemory } from "@promptloss/torch/distributed";
import { WeightedTokens } from "../../data/tokens/index.ts";
import type { Architecture } from "../../models/config/architecture.ts";
import { type Part, type PartKeeper, partOfParameter, partsOf } from "../../models/decoder/parts.ts";
import type { Ranks } from "../ranks/index.ts";
import { type FlatLayout, layoutOf, type Piece, piecesOf } from "./layout.ts";

export type ShardingMode = "optimizer" | "gradients" | "full";

export interface ShardedParameter {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly isTrained: boolean;
}

export interface ShardsOptions {
  readonly ranks: Ranks;
  readonly mode: ShardingMode;
  readonly architecture: Architecture;
  /** All parameters by name, an adapter's too. */
  readonly parameters: ReadonlyMap<string, ShardedParameter>;
  readonly device: string;
}

/** What a process has of trained weights. */
export interface OwnedPiece {
  /** The elements from `begin` of the flattened parameter, [count]. */
  readonly tensor: Tensor;
  readonly begin: number;
  /** Of the whole parameter. */
  readonly shape: readonly number[];
}

/** Bytes of this process, and the most that there were at one time. */
export interface ShardBytes {
  readonly weights: number;
  /** The most of weights that were gathered beside the own. */
  readonly mostGathered: number;
  readonly mostGradients: number;
}

/** A micro-batch of nothing, for a process that has no more while others do: it computes along and adds zeros. */
export const IDLE: readonly WeightedTokens[] = [
  WeightedTokens.of({
    ids: new Int32Array(1),
    classes: new Uint8Array(1),
    weights: new Float32Array(1),
    source: { file: "", row: 0 },
  }),
];

/** Parameters of a part as one vector: all trained, or all frozen. */
interface Flat {
  readonly part: Part;
  readonly isTrained: boolean;
  readonly dtype: DType;
  readonly layout: FlatLayout;
  readonly pieces: readonly Piece[];
  /** [processes · share]. Under `full` its memory is there only while it is gathered. */
  readonly whole: Tensor;
  /** [share], of this process. Under `full` memory of its own, else a part of `whole`. */
  readonly own: Tensor;
  /** The model's leaves: views of `whole`. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** Of the own share, summed over all processes and micro-batches so far. */
  gradient: Tensor | undefined;
  isReduced: boolean;
  isThere: boolean;
  gathering: PendingOperation | undefined;
}

type FlatPlan = Pick<Flat, "part" | "isTrained" | "dtype" | "layout">;

/** Owns the model's parameters and their gradients: free it with the model, whose keeper it is. */
export class Shards implements PartKeeper {
  readonly mode: ShardingMode;
  readonly #ranks: Ranks;
  readonly #architecture: Architecture;
  /** In the order of a forward pass. */
  readonly #parts: readonly Part[];
  readonly #device: string;
  readonly #flats: readonly Flat[];
  readonly #flatOf: ReadonlyMap<string, Flat>;
  readonly #owned: ReadonlyMap<string, OwnedPiece>;
  /** Parts whose outputs wait for their gradients, in the order of the forward pass. */
  #recorded: Part[] = [];
  #reducing: { readonly flat: Flat; readonly whole: Tensor; readonly pending: PendingOperation } | undefined;
  /** Trained parameters that have had a gradient since the last step. */
  readonly #touched = new Set<string>();
  #held: Part | undefined;
  #leads = false;
  /** Undefined where nothing is gathered and freed part by part. */
  readonly #memory: Disposable | undefined;
  #mostGathered = 0;
  #mostGradients = 0;

  constructor(options: ShardsOptions, plans = plansOf(options)) {
    const { ranks, mode, architecture, device } = options;
    this.mode = mode;
    this.#ranks = ranks;
    this.#architecture = architecture;
    this.#parts = partsOf(architecture);
    this.#device = device;
    this.#memory = mode === "optimizer" ? undefined : returningMemory();
    this.#flats = plans.map((plan) => this.#made(plan));
    this.#flatOf = new Map(
      this.#flats.flatMap((flat) => flat.layout.places.map(({ name }) => [name, flat] as const)),
    );
    this.#owned = new Map(
      this.#trained.flatMap((flat) =>
        flat.pieces.map(({ name, begin, end, at }) => {
          const tensor = noGrad(() => keep(flat.own.narrow(0, at, end - begin).detach()));
          const { shape } = flat.layout.places.find((place) => place.name === name)!;
          return [name, { tensor, begin, shape }] as const;
        }),
      ),
    );
  }

  /** What this process has of the trained parameters: what its optimizer updates. A parameter may be with others alone. */
  get owned(): ReadonlyMap<string, OwnedPiece> {
    return this.#owned;
  }

  /** Whether weights are with their owners alone. */
  get isFull(): boolean {
    return this.mode === "full";
  }

  get bytes(): ShardBytes {
    const weights = this.#flats.reduce((sum, { own, whole, dtype }) => {
      return sum + (this.isFull ? own : whole).numel * itemSize(dtype);
    }, 0);
    return { weights, mostGathered: this.#mostGathered, mostGradients: this.#mostGradients };
  }

  /** A parameter's values come to where they belong. @returns the model's leaf; undefined where it is to stay what it is */
  place(name: string, tensor: Tensor): Tensor | undefined {
    const flat = this.#flatOf.get(name);
    if (flat === undefined) return undefined;
    const leaf = flat.parameters.get(name)!;
    noGrad(() =>
      scope(() => {
        if (!this.isFull) return void leaf.detach().copy_(tensor);
        const piece = flat.pieces.find((each) => each.name === name);
        if (piece === undefined) return;
        const { begin, end, at } = piece;
        flat.own.narrow(0, at, end - begin).copy_(tensor.reshape([-1]).narrow(0, begin, end - begin));
      }),
    );
    return leaf;
  }

  /** A process's micro-batches, and {@link IDLE} ones behind them where all processes must come to each part together. */
  inStep<Group>(groups: readonly Group[]): (Group | typeof IDLE)[] {
    if (this.mode === "optimizer") return [...groups];
    const most = Math.max(...this.#ranks.gather([groups.length]).flat());
    return [...groups, ...Array.from({ length: most - groups.length }, () => IDLE)];
  }

  enter<Input extends Tensor | undefined>(part: Part, input: Input): Input {
    this.#gather(part);
    this.#prefetch(this.#parts[this.#parts.indexOf(part) + 1]);
    if (input === undefined) return input;
    return onGradient(input, () => this.#leaveBackward(part)) as Input;
  }

  leave(part: Part, output: Tensor): Tensor {
    // The head is used by the loss, which comes after; the backward pass, or the next forward pass, finds it there.
    if (part !== "output") this.#giveBack(part);
    if (!this.#needsWeightsBackward(part) || !isGradEnabled() || !output.requiresGrad) return output;
    this.#recorded.push(part);
    return onGradient(output, () => this.#enterBackward(part));
  }

  hold(name: string): void {
    const part = partOfParameter(this.#architecture, name);
    if (part !== this.#held) this.release();
    this.#gather(part);
    this.#held = part;
  }

  copy(): { parameters: ReadonlyMap<string, Tensor>; keeper: Shards } | undefined {
    if (!this.isFull) return undefined;
    const options = {
      ranks: this.#ranks,
      mode: this.mode,
      architecture: this.#architecture,
      device: this.#device,
      parameters: new Map(),
    };
    const keeper = new Shards(
      options,
      this.#flats.map(({ part, dtype, layout }) => ({ part, dtype, layout, isTrained: false })),
    );
    noGrad(() => {
      for (const [place, { own }] of this.#flats.entries()) keeper.#flats[place]!.own.copy_(own);
    });
    return {
      parameters: new Map(keeper.#flats.flatMap((flat) => [...flat.parameters])),
      keeper,
    };
  }

  release(): void {
    for (const flat of this.#flats) this.#giveBackFlat(flat);
    this.#held = undefined;
  }

  /** After a micro-batch's backward pass: divides the gradients that it has left, and gives all weights back. */
  endBackward(): void {
    if (this.mode === "optimizer") return;
    for (const flat of this.#trained) if (!flat.isReduced) this.#reduce(flat);
    this.#finishReduce();
    for (const flat of this.#trained) flat.isReduced = false;
    this.#recorded = [];
    this.release();
  }

  /** After a batch: the own pieces have their gradients, summed over all processes. */
  finishGradients(): void {
    if (this.mode === "optimizer") for (const flat of this.#trained) this.#reduce(flat);
    this.#finishReduce();
    for (const flat of this.#trained) flat.isReduced = false;
    const names = this.#trained.flatMap(({ layout }) => layout.places.map(({ name }) => name));
    const has = this.#ranks.sum(names.map((name) => (this.#touched.has(name) ? 1 : 0)));
    const touched = new Set(names.filter((_, place) => has[place]! > 0));
    scope(() => {
      for (const { pieces, gradient } of this.#trained)
        for (const { name, begin, end, at } of pieces)
          this.#owned.get(name)!.tensor.grad = touched.has(name)
            ? gradient!.narrow(0, at, end - begin)
            : null;
    });
  }

  /** After the optimizer's step, or a restored state: all processes have the new weights, and no gradients. */
  update(): void {
    for (const { tensor } of this.#owned.values()) tensor.grad = null;
    for (const flat of this.#trained) {
      flat.gradient?.free();
      flat.gradient = undefined;
    }
    this.#touched.clear();
    if (this.isFull) {
      this.release();
      return;
    }
    const pending = this.#trained.map(({ own, whole }) => this.#ranks.group.startAllGather(own, whole));
    for (const each of pending) each.wait();
  }

  /**
   * Lets rank 0 read weights by itself, through `hold` and forward passes, until {@link stopLeading}; all others are in
   * {@link follow} meanwhile and give their shares.
   */
  startLeading(): void {
    this.release();
    this.#leads = true;
  }

  stopLeading(): void {
    this.release();
    this.#leads = false;
    if (this.isFull) this.#ranks.firstOf(END);
  }

  follow(): void {
    this.release();
    if (!this.isFull) return;
    for (;;) {
      const place = this.#ranks.firstOf(END);
      if (place === END) return;
      const flat = this.#flats[place]!;
      this.#start(flat);
      this.#giveBackFlat(flat);
    }
  }

  free(): void {
    this.#reducing?.whole.free();
    for (const { tensor } of this.#owned.values()) tensor.free();
    for (const { own, whole, gradient } of this.#flats) {
      own.free();
      whole.free();
      gradient?.free();
    }
    this.#memory?.[Symbol.dispose]();
  }

  get #trained(): readonly Flat[] {
    return this.#flats.filter(({ isTrained }) => isTrained);
  }

  #made(plan: FlatPlan): Flat {
    const { layout, dtype, isTrained } = plan;
    const { rank, size } = this.#ranks;
    return noGrad(() =>
      scope(() => {
        const options = { dtype, device: this.#device };
        const whole = keep((this.isFull ? empty : zeros)([size * layout.share], options));
        const own = keep(
          this.isFull ? zeros([layout.share], options) : whole.narrow(0, rank * layout.share, layout.share),
        );
        const parameters = new Map(
          layout.places.map(({ name, at, numel, shape }) => {
            const leaf = keep(whole.narrow(0, at, numel).view(shape).detach());
            leaf.requiresGrad = isTrained;
            return [name, leaf] as const;
          }),
        );
        if (this.isFull) giveBackMemory(whole);
        const state = { gradient: undefined, isReduced: false, isThere: !this.isFull, gathering: undefined };
        return { ...plan, pieces: piecesOf(layout, rank), whole, own, parameters, ...state };
      }),
    );
  }

  /** The flats that a part computes with: the head's too, where it is the embedding. */
  #flatsOf(part: Part): Flat[] {
    const isTied = part === "output" && this.#architecture.tied;
    return this.#flats.filter((flat) => flat.part === part || (isTied && flat.part === "input"));
  }

  /** Of an embedding the backward pass needs the shape alone. */
  #needsWeightsBackward(part: Part): boolean {
    return this.isFull && (part !== "input" || this.#architecture.names.projectIn !== undefined);
  }

  #enterBackward(part: Part): void {
    this.#gather(part);
    const place = this.#recorded.lastIndexOf(part);
    this.#prefetch(this.#recorded[place - 1]);
  }

  #leaveBackward(part: Part): void {
    for (const flat of this.#trained) if (flat.part === part && !flat.isReduced) this.#reduce(flat);
    this.#giveBack(part);
  }

  #gather(part: Part): void {
    for (const flat of this.#flatsOf(part)) {
      if (flat.isThere) continue;
      if (this.#leads) this.#ranks.firstOf(this.#flats.indexOf(flat));
      this.#start(flat);
      flat.gathering!.wait();
      flat.gathering = undefined;
      flat.isThere = true;
    }
  }

  /** Begins to gather what is needed next. */
  #prefetch(part: Part | undefined): void {
    if (part === undefined || this.#leads) return;
    for (const flat of this.#flatsOf(part)) if (!flat.isThere) this.#start(flat);
  }

  #start(flat: Flat): void {
    if (flat.gathering !== undefined) return;
    takeMemory(flat.whole);
    flat.gathering = this.#ranks.group.startAllGather(flat.own, flat.whole);
    const there = this.#flats.filter(({ isThere, gathering }) => isThere || gathering !== undefined);
    const bytes = there.reduce((sum, { whole, dtype }) => sum + whole.numel * itemSize(dtype), 0);
    this.#mostGathered = Math.max(this.#mostGathered, bytes);
  }

  #giveBack(part: Part): void {
    for (const flat of this.#flatsOf(part)) this.#giveBackFlat(flat);
  }

  #giveBackFlat(flat: Flat): void {
    if (!this.isFull) return;
    flat.gathering?.wait();
    if (flat.isThere || flat.gathering !== undefined) giveBackMemory(flat.whole);
    flat.gathering = undefined;
    flat.isThere = false;
  }

  /** Begins to divide the gradients of a flat's parameters, which are gone from them then. */
  #reduce(flat: Flat): void {
    this.#finishReduce();
    flat.isReduced = true;
    this.#countGradients(flat);
    const whole = this.#flatGradient(flat);
    this.#reducing = { flat, whole, pending: this.#ranks.group.startReduceScatter_(whole) };
  }

  #finishReduce(): void {
    if (this.#reducing === undefined) return;
    const { flat, whole, pending } = this.#reducing;
    this.#reducing = undefined;
    pending.wait();
    const { share } = flat.layout;
    noGrad(() =>
      scope(() => {
        const own = whole.narrow(0, this.#ranks.rank * share, share);
        if (flat.gradient === undefined) flat.gradient = keep(own.clone());
        else flat.gradient.add_(own);
      }),
    );
    whole.free();
  }

  #flatGradient({ layout, parameters, dtype }: Flat): Tensor {
    const { places, share } = layout;
    const total = share * this.#ranks.size;
    return noGrad(() =>
      scope(() => {
        const gradients = places.map(({ name }) => takenGradient(parameters.get(name)!));
        for (const [place, { name }] of places.entries())
          if (gradients[place] !== null) this.#touched.add(name);
        const [only] = gradients;
        // A gradient that is the whole vector travels as it is.
        if (places.length === 1 && only?.numel === total && only.isContiguous) return keep(only.view([-1]));
        const whole = keep(empty([total], { dtype, device: this.#device }));
        for (const [place, { at, numel }] of places.entries()) {
          const [gradient, slice] = [gradients[place], whole.narrow(0, at, numel)];
          if (gradient) slice.copy_(gradient.reshape([-1]));
          else slice.zero_();
          gradient?.free();
        }
        const end = places.reduce((sum, { numel }) => sum + numel, 0);
        if (end < total) whole.narrow(0, end, total - end).zero_();
        return whole;
      }),
    );
  }

  /** Of those that are there as a flat's are divided: own shares, whole ones, and the flat's once more where it is copied. */
  #countGradients({ layout, whole, dtype: copied }: Flat): void {
    const bytes = scope(() =>
      this.#trained.reduce((sum, { parameters, gradient, dtype }) => {
        const there = [...parameters.values()].reduce((all, { grad }) => all + (grad?.numel ?? 0), 0);
        return sum + (there + (gradient?.numel ?? 0)) * itemSize(dtype);
      }, 0),
    );
    const copy = layout.places.length === 1 ? 0 : whole.numel * itemSize(copied);
    this.#mostGradients = Math.max(this.#mostGradients, bytes + copy);
  }
}

/** What rank 0 says in place of a flat's number when it is done. */
const END = -1;

/**
 * The flats of a model: of a layer one of what is trained and one of what is frozen, else one a parameter, as embeddings
 * and heads are large and travel without a copy then. Frozen parameters are divided only where weights are.
 */
function plansOf({ ranks, mode, architecture, parameters }: ShardsOptions): FlatPlan[] {
  const groups = new Map<string, [string, ShardedParameter][]>();
  for (const [name, facts] of parameters) {
    if (!facts.isTrained && mode !== "full") continue;
    const part = partOfParameter(architecture, name);
    const key = `${part} ${typeof part === "number" ? facts.isTrained : name}`;
    groups.set(key, [...(groups.get(key) ?? []), [name, facts]]);
  }
  const plans = [...groups.values()].map((group): FlatPlan => {
    const [[name, { isTrained, dtype }]] = group as [[string, ShardedParameter]];
    const shapes = new Map(group.map(([each, { shape }]) => [each, shape]));
    return {
      part: partOfParameter(architecture, name),
      isTrained,
      dtype,
      layout: layoutOf(shapes, ranks.size),
    };
  });
  const parts = partsOf(architecture);
  return plans.sort((a, b) => parts.indexOf(a.part) - parts.indexOf(b.part));
}

/** The tensor, with something to do as its gradient passes, before the gradients of what it was computed from. */
function onGradient(tensor: Tensor, act: () => void): Tensor {
  if (!isGradEnabled() || !tensor.requiresGrad) return tensor;
  return customFunction<[Tensor], Tensor>({
    name: "onGradient",
    forward: (_, x) => x.detach(),
    backward: (_, gradient) => {
      act();
      return [gradient ?? null];
    },
  })(tensor);
}

/** Takes a parameter's gradient from it. */
function takenGradient(parameter: Tensor): Tensor | null {
  const { grad } = parameter;
  parameter.grad = null;
  return grad;
}
