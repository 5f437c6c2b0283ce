// The parts of a training loop over a prepared run: resume, step, evaluate, checkpoint, finish. `train` strings them
// together; a program may do so in another way, or with another loss.
import { existsSync } from "node:fs";
import {
  cat,
  getRngState,
  hasAdamwSteps,
  manualSeed,
  noGrad,
  ones,
  scope,
  setRngState,
  type Tensor,
} from "@promptloss/torch";
import type { RowSource } from "../data/example.ts";
import { TOKEN_PARTS } from "../data/token-parts.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import { isHigherBetter, metricValue, type PartSums, partMeans } from "../loss/index.ts";
import { peakMemory } from "../machine/peak-memory.ts";
import { parameterToWrite } from "../models/decoder/parts.ts";
import { LateNumbers, type PackLossFunction, strategyOf } from "../models/index.ts";
import {
  type AccumulateSettings,
  accumulate,
  accumulateLate,
  accumulateSettings,
  type BatchLoss,
  batchLossOf,
} from "./accumulate.ts";
import { AdamW } from "./adamw.ts";
import { rowsOfBatch } from "./batch-rows.ts";
import type { TrainingBatch } from "./batches.ts";
import { BestWeights } from "./best-weights.ts";
import {
  CheckpointShelf,
  type OpenCheckpoint,
  openCheckpoint,
  type RunState,
  type SavedPiece,
  unseen,
} from "./checkpoints/index.ts";
import { DivergenceError } from "./errors.ts";
import type { EventListener, RunEndReason } from "./events/event.ts";
import { sparing } from "./events/progress.ts";
import {
  clearGradients,
  clippingDivisor,
  clippingFactor,
  gradientNorm,
  gradientNormTensor,
} from "./gradients.ts";
import { heldOutLoss } from "./held-out.ts";
import { type Interval, isDue } from "./interval.ts";
import { KlPenalty, MinkowskiPenalty } from "./penalties/index.ts";
import type { Ranks } from "./ranks/index.ts";
import type { TrainingRun } from "./run.ts";
import { learningRateAt } from "./schedule.ts";
import type { Shards } from "./sharding/index.ts";

export interface TrainerOptions {
  /** The folder for checkpoints and best weights. */
  readonly checkpoints: string;
  readonly onEvent?: EventListener;
  /** In place of `packLoss`, for training; held-out rows are measured by `packLoss` whatever a run trains on. */
  readonly loss?: PackLossFunction;
  /** The processes that train together: all make a trainer over the same run and call the same of its parts in turn. */
  readonly ranks?: Ranks;
}

export interface TrainResult {
  readonly reason: RunEndReason;
  /** Steps done. */
  readonly step: number;
  /** The step whose weights the model has now; undefined where the run was interrupted. */
  readonly writtenStep: number | undefined;
  readonly tokens: number;
  readonly seconds: number;
  /** The highest resident memory in bytes. */
  readonly peakMemory: number;
}

const START: RunState = { step: 0, tokens: 0, seconds: 0, optimizerSteps: 0, evaluationsSinceBest: 0 };

/** Owns the optimizer's state and what the penalties remember: free it with `using`. Trains the run's model in place. */
export class Trainer {
  readonly #run: TrainingRun;
  /** What this process trains: the model's parameters, or what it owns of them. */
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #shards: Shards | undefined;
  readonly #emit: EventListener;
  readonly #optimizer: AdamW;
  readonly #minkowski: MinkowskiPenalty | undefined;
  readonly #kl: KlPenalty | undefined;
  readonly #accumulation: AccumulateSettings;
  readonly #shelf: CheckpointShelf;
  readonly #best: BestWeights | undefined;
  readonly #ranks: Ranks | undefined;
  readonly #readsLate: boolean;
  /** Steps whose numbers are still on the device, and since when. */
  readonly #late = new LateNumbers<{ readonly done: DoneStep; readonly counts: PartSums }>();
  #lateSince: number | undefined;
  #state = START;
  #savedStep = 0;

  /** Seeds the random generator. Call it with the model as it starts: the penalties remember its weights. */
  constructor(run: TrainingRun, { checkpoints, onEvent = () => {}, loss, ranks }: TrainerOptions) {
    const { model, settings, fingerprint, shards } = run;
    manualSeed(seedOf(settings.seed, ranks));
    this.#run = run;
    this.#ranks = ranks;
    this.#emit = ranks === undefined || ranks.isFirst ? onEvent : () => {};
    this.#shards = shards;
    const owned = shards?.owned;
    this.#parameters = owned
      ? new Map([...owned].map(([name, { tensor }]) => [name, tensor]))
      : model.trainable;
    this.#optimizer = new AdamW(
      this.#parameters,
      settings.optimizer,
      owned && ((name) => owned.get(name)!.shape),
    );
    const overRanks = shards && ((own: number, reduction: "sum" | "max") => ranks!.reduced(own, reduction));
    this.#minkowski =
      settings.minkowski && new MinkowskiPenalty(this.#parameters.values(), settings.minkowski, overRanks);
    this.#kl = settings.kl && new KlPenalty(model, settings.kl);
    this.#accumulation = accumulateSettings(settings, { kl: this.#kl, loss, ranks, shards });
    // Processes agree on numbers, a penalty on distance is one, and a loss of the caller's own gives them.
    const isAlone = ranks === undefined && settings.minkowski === undefined && loss === undefined;
    this.#readsLate = isAlone && strategyOf(model.device).readsLate && hasAdamwSteps();
    this.#shelf = new CheckpointShelf(checkpoints, fingerprint, settings.checkpoints.keep);
    // Of divided weights each process takes its own back.
    const keepsBest = settings.evaluation?.keepBest === true && (this.#writes || shards?.isFull === true);
    this.#best = keepsBest ? new BestWeights(checkpoints, fingerprint) : undefined;
  }

  get state(): RunState {
    return this.#state;
  }

  /** Whether this process writes files. */
  get #writes(): boolean {
    return this.#ranks === undefined || this.#ranks.isFirst;
  }

  /** Whether a condition holds on any rank: what all of them then do. */
  anyRank(condition: boolean): boolean {
    return this.#ranks === undefined ? condition : this.#ranks.any(condition);
  }

  /** Takes up the newest checkpoint that is whole, where there is one; gives what is to be told of that. */
  resume(): readonly string[] {
    const ranks = this.#ranks;
    const notes: string[] = [];
    const reads = ranks === undefined || ranks.isFirst;
    using checkpoint = reads ? this.#newest(notes) : undefined;
    if (checkpoint !== undefined) this.#restore(checkpoint);
    const [own, ...others] = checkpoint?.rngs ?? [];
    if (own !== undefined) setRngState(own, this.#run.model.device);
    if (ranks !== undefined) this.#takeFirst(ranks, checkpoint?.folder ?? "", others);
    for (const generator of [own, ...others]) generator?.free();
    return notes;
  }

  #newest(notes: string[]): OpenCheckpoint | undefined {
    const checkpoint = this.#shelf.newest((error) =>
      notes.push(`${error.message}; going back to the one before`),
    );
    if (checkpoint !== undefined)
      notes.push(
        `resuming after step ${checkpoint.state.step}, from the checkpoint in ${this.#shelf.folder}`,
      );
    else if (notes.length > 0) notes.push("no checkpoint is whole: the run begins anew");
    return checkpoint;
  }

  /** Weights and moments of what this process trains, whoever wrote them. */
  #restore({ state, pieces }: OpenCheckpoint): void {
    const { tensors } = this.#optimizer.state();
    scope(() => {
      noGrad(() => {
        for (const [name, { tensor, begin }] of this.#pieces)
          scope(() => tensor.copy_(pieces.read(name, tensor.shape, begin)));
      });
      const moments = [...this.#momentPieces(tensors)].map(
        ([name, { tensor, begin }]) => [name, pieces.read(name, tensor.shape, begin)] as const,
      );
      this.#optimizer.restore({ steps: state.optimizerSteps, tensors: new Map(moments) });
    });
    this.#state = state;
    this.#savedStep = state.step;
  }

  /** What this process trains, as a file has it. */
  get #pieces(): ReadonlyMap<string, SavedPiece> {
    return (
      this.#shards?.owned ??
      new Map([...this.#parameters].map(([name, tensor]) => [name, { tensor }] as const))
    );
  }

  #momentPieces(tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, SavedPiece> {
    const owned = this.#shards?.owned;
    const begin = (name: string): number => owned?.get(name.slice(name.indexOf(".") + 1))?.begin ?? 0;
    return new Map([...tensors].map(([name, tensor]) => [name, { tensor, begin: begin(name) }]));
  }

  /**
   * Makes all ranks' state that of rank 0. Where each has all of it, rank 0 alone reads checkpoints, as the others may not
   * see its disk; else each reads its own from the folder that rank 0 has checked.
   */
  #takeFirst(ranks: Ranks, folder: string, generators: readonly Tensor[]): void {
    const { model, settings } = this.#run;
    const text = ranks.textOfFirst(JSON.stringify([this.#state, this.#optimizer.state().steps, folder]));
    const [state, steps, from] = JSON.parse(text) as [RunState, number, string];
    this.#state = state;
    this.#savedStep = state.step;
    if (this.#shards !== undefined) {
      if (from !== "" && !ranks.isFirst) {
        if (!existsSync(from)) throw unseen(from, ranks.rank);
        using checkpoint = openCheckpoint(from);
        this.#restore(checkpoint);
        for (const generator of checkpoint.rngs) generator.free();
      }
      this.#shards.update();
    } else {
      noGrad(() => ranks.takeFirst(this.#parameters.values()));
      const { tensors } = this.#optimizer.state();
      if (steps > 0) ranks.takeFirst(tensors.values());
      if (!ranks.isFirst) this.#optimizer.restore({ steps, tensors });
    }
    // Masks of dropout and noise differ between ranks, and go on where each was. A rank that was not there begins anew.
    if (!ranks.isFirst && state.step > 0) manualSeed(seedOf(settings.seed + state.step, ranks));
    for (const [place, generator] of ranks.tensorsOfFirst(generators).entries()) {
      if (place + 1 === ranks.rank) setRngState(generator, model.device);
      generator.free();
    }
  }

  /**
   * One step of the optimizer: the batch's gradients, clipping, the update, and its event.
   * @throws {DivergenceError} where the loss or a gradient is not finite, before the update
   */
  step(batch: TrainingBatch): void {
    const { logEvery } = this.#run.settings;
    const step = batch.step + 1;
    const examples = rowsOfBatch(this.#run, batch);
    const measureAll = step % logEvery === 0 || step === 1;
    if (this.#readsLate) {
      this.#stepLate(batch, examples, measureAll);
      if (measureAll) this.#read();
    } else this.#step(batch, examples, measureAll);
  }

  /** A step whose numbers are there when it ends. */
  #step(batch: TrainingBatch, examples: readonly WeightedTokens[], measureAll: boolean): void {
    const { model, settings } = this.#run;
    const { maxGradNorm } = settings;
    const started = performance.now();
    const own = this.#ranks === undefined ? examples : this.#ranks.shareOf(examples);
    const { loss, penalty, sums } = accumulate(model, own, this.#accumulation, measureAll);
    const added = penalty + (this.#minkowski?.addGradients() ?? 0);
    const done = doneOf(batch, examples, learningRateAt(batch.step, settings.schedule));
    const numbers = { loss, penalty: added, sums, norm: this.#norm() };
    checkNumbers(done, numbers);
    const scale = maxGradNorm === undefined ? 1 : clippingFactor(numbers.norm, maxGradNorm);
    this.#optimizer.step(done.learningRate, scale);
    if (this.#shards === undefined) clearGradients(this.#parameters.values());
    else this.#shards.update();
    this.#count(done);
    this.#tell(done, numbers, secondsSince(started));
  }

  /**
   * A step on an accelerator, which is given its work and not waited for. A loss or a gradient that is not finite leaves the
   * weights as they are; the read that finds it ends the run.
   */
  #stepLate(batch: TrainingBatch, examples: readonly WeightedTokens[], measureAll: boolean): void {
    const { model, settings } = this.#run;
    const { maxGradNorm } = settings;
    this.#lateSince ??= performance.now();
    const { numbers, counts } = accumulateLate(model, examples, this.#accumulation, measureAll);
    const done = doneOf(batch, examples, learningRateAt(batch.step, settings.schedule));
    noGrad(() =>
      scope(() => {
        const norm = gradientNormTensor(this.#parameters.values(), model.device);
        const one = ones([], { device: model.device });
        const sound = norm.isfinite().logicalAnd(numbers.isfinite().all());
        const divisor = maxGradNorm === undefined ? one : clippingDivisor(norm, maxGradNorm);
        this.#optimizer.stepLate(done.learningRate, divisor, sound.logicalNot().float());
        this.#late.add({ done, counts }, cat([numbers, norm.to({ dtype: numbers.dtype }).unsqueeze(0)]));
      }),
    );
    numbers.free();
    clearGradients(this.#parameters.values());
    this.#count(done);
  }

  /** Reads and tells what late steps have left, all at once. @throws {DivergenceError} */
  #read(): void {
    if (this.#late.length === 0) return;
    const all = this.#late.read();
    const seconds = secondsSince(this.#lateSince!);
    this.#lateSince = undefined;
    const tokens = all.reduce((sum, { of }) => sum + of.done.tokens, 0);
    for (const { of, numbers } of all) {
      const read = { ...batchLossOf(of.counts, numbers.slice(0, -1)), norm: numbers.at(-1)! };
      checkNumbers(of.done, read);
      // What each took is not known: its share by tokens of what all took.
      this.#tell(of.done, read, (seconds * of.done.tokens) / tokens);
    }
  }

  #count({ step, tokens }: DoneStep): void {
    this.#state = { ...this.#state, step, tokens: this.#state.tokens + tokens };
  }

  #tell(done: DoneStep, { loss, penalty, sums, norm }: StepNumbers, seconds: number): void {
    const { step, epoch, learningRate, tokens } = done;
    this.#state = { ...this.#state, seconds: this.#state.seconds + seconds };
    this.#emit({
      type: "step",
      step,
      epoch,
      loss,
      ...((this.#kl ?? this.#minkowski) && { penalty }),
      ...partMeans(sums),
      gradientNorm: norm,
      learningRate,
      tokens,
      seconds,
      memory: process.memoryUsage.rss(),
    });
  }

  /**
   * Measures the held-out rows and keeps the weights that are best by `evaluation.metric`.
   * @throws {NonFiniteLossError} naming the row
   */
  evaluate(): void {
    this.#read();
    const { model, heldOut, settings } = this.#run;
    if (heldOut === undefined || settings.evaluation === undefined) return;
    const { metric } = settings.evaluation;
    const { step, best, evaluationsSinceBest } = this.#state;
    const started = performance.now();
    const progress = sparing(this.#emit);
    const total = heldOut.length;
    // Neither smoothed nor reweighted, so that runs with and without can be compared.
    const { normalization, microBatch, compute } = settings;
    const measuring = {
      ...{ normalization, microBatch, compute },
      onRows: (done: number) => progress({ type: "progress", phase: "evaluating", done, total }),
    };
    const { loss, sums } = heldOutLoss(model, heldOut, measuring, this.#ranks, this.#shards);
    const measured = { loss, ...partMeans(sums) };
    // The run was refused where its held-out rows have no such tokens.
    const value = metricValue(measured, metric)!;
    const isBest = best === undefined || (isHigherBetter(metric) ? value > best.value : value < best.value);
    this.#state = isBest
      ? {
          ...this.#state,
          best: { step, value, hash: this.#keepBest(step) },
          evaluationsSinceBest: 0,
        }
      : { ...this.#state, evaluationsSinceBest: evaluationsSinceBest + 1 };
    this.#forgetOldBest();
    this.#emit({ type: "evaluation", step, ...measured, best: isBest, seconds: secondsSince(started) });
  }

  /** Writes a checkpoint, unless the newest is of this very step. */
  checkpoint(): void {
    this.#read();
    if (this.#savedStep === this.#state.step) return;
    const { steps: optimizerSteps, tensors } = this.#optimizer.state();
    const own = getRngState(this.#run.model.device);
    const rngs = this.#ranks === undefined ? [own] : this.#ranks.gatherBytes(own);
    const state = { ...this.#state, optimizerSteps };
    this.#savedStep = state.step;
    const all = { state, weights: this.#pieces, optimizer: this.#momentPieces(tensors), rngs };
    const sharers = this.#shards && this.#ranks;
    const path = this.#writes || sharers ? this.#shelf.add(all, sharers) : "";
    for (const generator of new Set([own, ...rngs])) generator.free();
    this.#forgetOldBest();
    this.#emit({ type: "checkpoint", step: state.step, path });
  }

  /** Whether something that happens now and then is to happen after the step that was done last. */
  isDue(every: Interval): boolean {
    return isDue(every, this.#state.step, this.#run.batches);
  }

  /** Whether `evaluation.patience` evaluations in a row brought nothing better. A function of the state alone. */
  get isOutOfPatience(): boolean {
    const { patience = Number.POSITIVE_INFINITY } = this.#run.settings.evaluation ?? {};
    return this.#state.evaluationsSinceBest >= patience;
  }

  /** Ends the loop: with a checkpoint where it was interrupted, else with the weights that are to be written. */
  finish(reason: RunEndReason): TrainResult {
    this.#read();
    const { step, tokens, seconds, best } = this.#state;
    const result = { reason, step, tokens, seconds };
    if (reason === "interrupted") {
      this.checkpoint();
      return { ...result, writtenStep: undefined, peakMemory: peakMemory() };
    }
    // Undefined where the best is not asked for.
    const kept = best?.hash === undefined ? undefined : { step: best.step, hash: best.hash };
    if (kept !== undefined && kept.step !== step) {
      this.#best?.restore(kept.step, kept.hash, this.#wholePieces);
      if (this.#shards?.isFull) this.#shards.update();
    }
    const writtenStep = kept?.step ?? step;
    return { ...result, writtenStep, peakMemory: peakMemory() };
  }

  [Symbol.dispose](): void {
    this.#late.free();
    this.#optimizer.free();
    this.#minkowski?.free();
    this.#kl?.free();
  }

  /** A number of rank 0's on all ranks, whose own may differ in its last bit where their threads or processors do. */
  #ofFirst(number: number): number {
    return this.#ranks === undefined ? number : this.#ranks.firstOf(number);
  }

  /** Over the gradients of all processes, the same number on all of them. */
  #norm(): number {
    const own = gradientNorm(this.#parameters.values());
    if (this.#shards === undefined) return this.#ofFirst(own);
    return Math.sqrt(this.#ranks!.reduced(own * own, "sum"));
  }

  /** Keeps the weights of a step as one file. @returns its hash; undefined where none are kept */
  #keepBest(step: number): string | undefined {
    if (this.#best === undefined) return undefined;
    const { model } = this.#run;
    if (!this.#shards?.isFull) return this.#best.write(step, model.trainable);
    if (!this.#writes) {
      this.#shards.follow();
      return this.#ranks!.textOfFirst("");
    }
    this.#shards.startLeading();
    const lazy = [...model.trainable.keys()].map((name) => [name, parameterToWrite(model, name)] as const);
    const hash = this.#best.write(step, new Map(lazy));
    this.#shards.stopLeading();
    return this.#ranks!.textOfFirst(hash);
  }

  /** What of the model this process has, to write to: all, or what it owns where weights are divided. */
  get #wholePieces(): ReadonlyMap<string, SavedPiece> {
    if (this.#shards?.isFull) return this.#pieces;
    return new Map([...this.#run.model.trainable].map(([name, tensor]) => [name, { tensor }] as const));
  }

  #forgetOldBest(): void {
    if (!this.#writes) return;
    const { best } = this.#state;
    this.#best?.keepOnly(new Set([...this.#shelf.bestSteps(), ...(best ? [best.step] : [])]));
  }
}

/** Large and odd, so that neighboring seeds' ranks draw different numbers. */
const RANK_STRIDE = 7_000_003;

function seedOf(seed: number, ranks: Ranks | undefined): number {
  return seed + (ranks?.rank ?? 0) * RANK_STRIDE;
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000;
}

/** A step as the host knows it. */
interface DoneStep {
  readonly step: number;
  readonly epoch: number;
  readonly learningRate: number;
  readonly tokens: number;
  readonly sources: readonly RowSource[];
}

function doneOf(batch: TrainingBatch, examples: readonly WeightedTokens[], learningRate: number): DoneStep {
  const tokens = examples.reduce((sum, { length }) => sum + length, 0);
  const sources = examples.map(({ source }) => source);
  return { step: batch.step + 1, epoch: batch.epoch + 1, learningRate, tokens, sources };
}

/** What a step came to. */
interface StepNumbers extends BatchLoss {
  /** Of the gradients, before clipping. */
  readonly norm: number;
}

function checkNumbers({ step, sources }: DoneStep, { loss, penalty, sums, norm }: StepNumbers): void {
  const measured = TOKEN_PARTS.map((part) => [`the loss of ${part} tokens`, sums[part].loss]);
  const results = { "the loss": loss, "the penalty": penalty, "the norm of the gradients": norm };
  for (const [name, value] of Object.entries({ ...results, ...Object.fromEntries(measured) }))
    if (!Number.isFinite(value)) throw new DivergenceError(`${name} is ${value}`, step, sources);
}
