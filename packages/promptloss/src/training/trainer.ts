// The parts of a training loop over a prepared run: resume, step, evaluate, checkpoint, finish. `train` strings them
// together; a program may do so in another way, or with another loss.
import { getRngState, manualSeed, noGrad, setRngState, type Tensor } from "@promptloss/torch";
import { TOKEN_PARTS } from "../data/token-parts.ts";
import type { WeightedTokens } from "../data/tokens/index.ts";
import { isHigherBetter, metricValue, partMeans } from "../loss/index.ts";
import { peakMemory } from "../machine/peak-memory.ts";
import type { PackLossFunction } from "../models/index.ts";
import { type AccumulateSettings, accumulate, accumulateSettings } from "./accumulate.ts";
import { AdamW } from "./adamw.ts";
import type { TrainingBatch } from "./batches.ts";
import { BestWeights } from "./best-weights.ts";
import { CheckpointShelf, type RunState } from "./checkpoints/index.ts";
import { DivergenceError } from "./errors.ts";
import type { EventListener, RunEndReason } from "./events/event.ts";
import { sparing } from "./events/progress.ts";
import { clearGradients, clippingFactor, gradientNorm } from "./gradients.ts";
import { heldOutLoss } from "./held-out.ts";
import { type Interval, isDue } from "./interval.ts";
import { KlPenalty, MinkowskiPenalty } from "./penalties/index.ts";
import type { Ranks } from "./ranks/index.ts";
import type { TrainingRun } from "./run.ts";
import { learningRateAt } from "./schedule.ts";

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
  readonly #parameters: ReadonlyMap<string, Tensor>;
  readonly #emit: EventListener;
  readonly #optimizer: AdamW;
  readonly #minkowski: MinkowskiPenalty | undefined;
  readonly #kl: KlPenalty | undefined;
  readonly #accumulation: AccumulateSettings;
  readonly #shelf: CheckpointShelf;
  readonly #best: BestWeights | undefined;
  readonly #ranks: Ranks | undefined;
  #state = START;
  #savedStep = 0;

  /** Seeds the random generator. Call it with the model as it starts: the penalties remember its weights. */
  constructor(run: TrainingRun, { checkpoints, onEvent = () => {}, loss, ranks }: TrainerOptions) {
    const { model, settings, fingerprint } = run;
    manualSeed(seedOf(settings.seed, ranks));
    this.#run = run;
    this.#ranks = ranks;
    this.#emit = ranks === undefined || ranks.isFirst ? onEvent : () => {};
    this.#parameters = model.trainable;
    this.#optimizer = new AdamW(model.trainable, settings.optimizer);
    this.#minkowski =
      settings.minkowski && new MinkowskiPenalty(model.trainable.values(), settings.minkowski);
    this.#kl = settings.kl && new KlPenalty(model, settings.kl);
    this.#accumulation = accumulateSettings(settings, { kl: this.#kl, loss, ranks });
    this.#shelf = new CheckpointShelf(checkpoints, fingerprint, settings.checkpoints.keep);
    const keepsBest = settings.evaluation?.keepBest === true && this.#writes;
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
    if (this.#ranks === undefined) return this.#restore().notes;
    const { notes, generators } = this.#ranks.isFirst ? this.#restore() : { notes: [], generators: [] };
    this.#takeFirst(this.#ranks, generators);
    return notes;
  }

  /** From the newest checkpoint: also the state of each rank's generator, the caller's, where several wrote it. */
  #restore(): { readonly notes: readonly string[]; readonly generators: readonly Tensor[] } {
    const notes: string[] = [];
    const checkpoint = this.#shelf.newest((error) =>
      notes.push(`${error.message}; going back to the one before`),
    );
    if (checkpoint === undefined) {
      if (notes.length > 0) notes.push("no checkpoint is whole: the run begins anew");
      return { notes, generators: [] };
    }
    const { state, weights, optimizer: tensors, rng, otherRngs } = checkpoint;
    noGrad(() => {
      for (const [name, parameter] of this.#parameters) parameter.copy_(weights.get(name)!);
    });
    this.#optimizer.restore({ steps: state.optimizerSteps, tensors });
    setRngState(rng, this.#run.model.device);
    for (const tensor of [...weights.values(), ...tensors.values(), rng]) tensor.free();
    this.#state = state;
    this.#savedStep = state.step;
    notes.push(`going on after step ${state.step}, from the checkpoint in ${this.#shelf.folder}`);
    return { notes, generators: otherRngs };
  }

  /** Makes all ranks' state that of rank 0, which alone reads checkpoints: they may not see its disk. */
  #takeFirst(ranks: Ranks, generators: readonly Tensor[]): void {
    const { model, settings } = this.#run;
    const text = ranks.textOfFirst(JSON.stringify([this.#state, this.#optimizer.state().steps]));
    const [state, steps] = JSON.parse(text) as [RunState, number];
    this.#state = state;
    this.#savedStep = state.step;
    noGrad(() => ranks.takeFirst(this.#parameters.values()));
    const { tensors } = this.#optimizer.state();
    if (steps > 0) ranks.takeFirst(tensors.values());
    if (!ranks.isFirst) this.#optimizer.restore({ steps, tensors });
    // Masks of dropout and noise differ between ranks, and go on where each was. A rank that was not there begins anew.
    if (!ranks.isFirst && state.step > 0) manualSeed(seedOf(settings.seed + state.step, ranks));
    for (const [place, generator] of ranks.tensorsOfFirst(generators).entries()) {
      if (place + 1 === ranks.rank) setRngState(generator, model.device);
      generator.free();
    }
    for (const generator of generators) generator.free();
  }

  /**
   * One step of the optimizer: the batch's gradients, clipping, the update, and its event.
   * @throws {DivergenceError} where the loss or a gradient is not finite, before the update
   */
  step(batch: TrainingBatch): void {
    const { model, rows, settings } = this.#run;
    const { maxGradNorm, logEvery } = settings;
    const step = batch.step + 1;
    const started = performance.now();
    const examples = Array.from(batch.rows, (row) => rows.at(row));
    const measureAll = step % logEvery === 0 || step === 1;
    const own = this.#ranks === undefined ? examples : this.#ranks.shareOf(examples);
    const { loss, penalty, sums } = accumulate(model, own, this.#accumulation, measureAll);
    const added = penalty + (this.#minkowski?.addGradients() ?? 0);
    const norm = this.#ofFirst(gradientNorm(this.#parameters.values()));
    const measured = TOKEN_PARTS.map((part) => [`the loss of ${part} tokens`, sums[part].loss]);
    const results = { "the loss": loss, "the penalty": added, "the norm of the gradients": norm };
    checkFinite({ ...results, ...Object.fromEntries(measured) }, step, examples);
    const learningRate = learningRateAt(batch.step, settings.schedule);
    this.#optimizer.step(learningRate, maxGradNorm === undefined ? 1 : clippingFactor(norm, maxGradNorm));
    clearGradients(this.#parameters.values());
    const tokens = examples.reduce((sum, { length }) => sum + length, 0);
    const seconds = secondsSince(started);
    this.#state = {
      ...this.#state,
      step,
      tokens: this.#state.tokens + tokens,
      seconds: this.#state.seconds + seconds,
    };
    this.#emit({
      type: "step",
      step,
      epoch: batch.epoch + 1,
      loss,
      ...((this.#kl ?? this.#minkowski) && { penalty: added }),
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
    const { loss, sums } = heldOutLoss(model, heldOut, measuring, this.#ranks);
    const measured = { loss, ...partMeans(sums) };
    // The run was refused where its held-out rows have no such tokens.
    const value = metricValue(measured, metric)!;
    const isBest = best === undefined || (isHigherBetter(metric) ? value > best.value : value < best.value);
    this.#state = isBest
      ? {
          ...this.#state,
          best: { step, value, hash: this.#best?.write(step, this.#parameters) },
          evaluationsSinceBest: 0,
        }
      : { ...this.#state, evaluationsSinceBest: evaluationsSinceBest + 1 };
    this.#forgetOldBest();
    this.#emit({ type: "evaluation", step, ...measured, best: isBest, seconds: secondsSince(started) });
  }

  /** Writes a checkpoint, unless the newest is of this very step. */
  checkpoint(): void {
    if (this.#savedStep === this.#state.step) return;
    const { steps: optimizerSteps, tensors } = this.#optimizer.state();
    const own = getRngState(this.#run.model.device);
    const generators = this.#ranks === undefined ? [own] : this.#ranks.gatherBytes(own);
    const state = { ...this.#state, optimizerSteps };
    this.#savedStep = state.step;
    const [rng, ...otherRngs] = generators as [Tensor, ...Tensor[]];
    const path = this.#writes
      ? this.#shelf.add({ state, weights: this.#parameters, optimizer: tensors, rng, otherRngs })
      : "";
    for (const generator of new Set([own, ...generators])) generator.free();
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
    const { step, tokens, seconds, best } = this.#state;
    const result = { reason, step, tokens, seconds };
    if (reason === "interrupted") {
      this.checkpoint();
      return { ...result, writtenStep: undefined, peakMemory: peakMemory() };
    }
    // Undefined where the best is not asked for.
    const kept = best?.hash === undefined ? undefined : { step: best.step, hash: best.hash };
    if (kept !== undefined && kept.step !== step) this.#best!.restore(kept.step, kept.hash, this.#parameters);
    const writtenStep = kept?.step ?? step;
    return { ...result, writtenStep, peakMemory: peakMemory() };
  }

  [Symbol.dispose](): void {
    this.#optimizer.free();
    this.#minkowski?.free();
    this.#kl?.free();
  }

  /** A number of rank 0's on all ranks, whose own may differ in its last bit where their threads or processors do. */
  #ofFirst(number: number): number {
    return this.#ranks === undefined ? number : this.#ranks.firstOf(number);
  }

  #forgetOldBest(): void {
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

function checkFinite(
  values: Readonly<Record<string, number>>,
  step: number,
  examples: readonly WeightedTokens[],
): void {
  const sources = examples.map(({ source }) => source);
  for (const [name, value] of Object.entries(values))
    if (!Number.isFinite(value)) throw new DivergenceError(`${name} is ${value}`, step, sources);
}
