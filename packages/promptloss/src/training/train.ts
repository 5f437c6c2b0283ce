// The training loop. One step: the rate, the batch's gradients, clipping, the update, a line of the log; then, where
// they are due, an evaluation and a checkpoint.
import { getRngState, manualSeed, noGrad, reusingMemory, setRngState, type Tensor } from "@promptloss/torch";
import type { WeightedTokens } from "../data/tokens/index.ts";
import { partMeans } from "../loss/index.ts";
import { peakMemory } from "../peak-memory.ts";
import { type AccumulateSettings, accumulate } from "./accumulate.ts";
import { AdamW } from "./adamw.ts";
import { BestWeights } from "./best-weights.ts";
import { CheckpointShelf, type RunState } from "./checkpoints/index.ts";
import { DivergenceError } from "./errors.ts";
import type { EndReason, EventListener } from "./events/event.ts";
import { clearGradients, clippingFactor, gradientNorm } from "./gradients.ts";
import { heldOutLoss } from "./held-out.ts";
import { KlPenalty, MinkowskiPenalty } from "./penalties/index.ts";
import type { Interval, TrainingRun } from "./run.ts";
import { learningRateAt } from "./schedule.ts";

export interface TrainOptions {
  /** Told once, before the first step: how many steps an earlier process did. */
  readonly onStart?: (firstStep: number) => void;
  readonly onEvent?: EventListener;
  /** Ends the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** The folder for checkpoints and best weights. */
  readonly checkpoints: string;
}

export interface TrainResult {
  readonly reason: EndReason;
  /** Steps done. */
  readonly step: number;
  readonly tokens: number;
  readonly seconds: number;
  /** The step whose weights the model has now; undefined where the run was interrupted. */
  readonly writtenStep: number | undefined;
  /** The highest resident memory in bytes. */
  readonly peakMemory: number;
}

const START: RunState = { step: 0, tokens: 0, seconds: 0, optimizerSteps: 0, evaluationsSinceBest: 0 };

/**
 * Trains the run's model in place; goes on from the newest checkpoint where there is one.
 * @throws DivergenceError where the loss or a gradient is not finite; checkpoints stay as they are
 */
export const train = async (run: TrainingRun, options: TrainOptions): Promise<TrainResult> => {
  const { model, rows, batches, settings } = run;
  const { onStart = () => {}, onEvent: emit = () => {}, signal } = options;
  const parameters = model.trainable;
  using _memory = reusingMemory();
  manualSeed(settings.seed);
  using optimizer = new AdamW(parameters, settings.optimizer);
  using minkowski = settings.minkowski && new MinkowskiPenalty(parameters.values(), settings.minkowski);
  using kl = settings.kl && new KlPenalty(model, settings.kl);
  const shelf = new CheckpointShelf(options.checkpoints, run.fingerprint, settings.checkpoints.keep);
  const best = settings.evaluation?.keepBest
    ? new BestWeights(options.checkpoints, run.fingerprint)
    : undefined;
  const accumulation = accumulateSettings(run, kl);

  const early: string[] = [];
  let state = resume(run, parameters, optimizer, shelf, (message) => early.push(message));
  onStart(state.step);
  for (const message of early) emit({ type: "note", message });
  let saved = state.step;
  let reason: EndReason = "completed";
  const due = (every: Interval): boolean =>
    every === "epoch" ? batches.endsEpoch(state.step - 1) : every !== "never" && state.step % every === 0;
  const save = (): void => {
    if (saved === state.step) return;
    const { steps: optimizerSteps, tensors } = optimizer.state();
    const rng = getRngState(model.device);
    const checkpoint = { state: { ...state, optimizerSteps }, weights: parameters, optimizer: tensors, rng };
    emit({ type: "checkpoint", step: state.step, path: shelf.add(checkpoint) });
    rng.free();
    saved = state.step;
  };

  for (const batch of batches.from(state.step)) {
    const started = performance.now();
    const examples = Array.from(batch.rows, (row) => rows.at(row));
    const rate = learningRateAt(batch.step, settings.schedule);
    const logged = (batch.step + 1) % settings.logEvery === 0 || batch.step === 0;
    const { loss, penalty, sums } = accumulate(model, examples, accumulation, logged);
    const added = penalty + (minkowski?.addGradients() ?? 0);
    const norm = gradientNorm(parameters.values());
    checkFinite({ loss, penalty: added, norm }, batch.step + 1, examples);
    const most = settings.maxGradNorm;
    optimizer.step(rate, most === undefined ? 1 : clippingFactor(norm, most));
    clearGradients(parameters.values());

    const tokens = examples.reduce((sum, { length }) => sum + length, 0);
    const seconds = (performance.now() - started) / 1000;
    const memory = process.memoryUsage.rss();
    state = {
      ...state,
      step: batch.step + 1,
      tokens: state.tokens + tokens,
      seconds: state.seconds + seconds,
    };
    emit({
      type: "step",
      step: state.step,
      epoch: batch.epoch + 1,
      loss,
      ...((kl ?? minkowski) && { penalty: added }),
      ...partMeans(sums),
      gradientNorm: norm,
      learningRate: rate,
      tokens,
      seconds,
      memory,
    });

    // The last step too, so that the weights that are written have always been measured.
    const last = state.step === batches.steps;
    if (run.heldOut !== undefined && settings.evaluation && (last || due(settings.evaluation.every))) {
      const began = performance.now();
      const { loss: heldOut, sums: measured } = heldOutLoss(model, run.heldOut, settings);
      const better = state.best === undefined || heldOut < state.best.loss;
      state = {
        ...state,
        ...(better && { best: { step: state.step, loss: heldOut } }),
        evaluationsSinceBest: better ? 0 : state.evaluationsSinceBest + 1,
      };
      if (better) best?.write(state.step, parameters);
      emit({
        type: "evaluation",
        step: state.step,
        loss: heldOut,
        ...partMeans(measured),
        best: better,
        seconds: (performance.now() - began) / 1000,
      });
    }
    if (due(settings.checkpoints.every)) save();
    if (state.evaluationsSinceBest >= (settings.evaluation?.patience ?? Number.POSITIVE_INFINITY)) {
      reason = "stopped-early";
      break;
    }
    // Signals reach the process between two turns of its event loop.
    await new Promise((resolve) => setImmediate(resolve));
    if (signal?.aborted && state.step < batches.steps) {
      reason = "interrupted";
      break;
    }
  }
  const { step, tokens, seconds } = state;
  if (reason === "interrupted") save();
  const writtenStep =
    reason === "interrupted" ? undefined : best === undefined ? step : (state.best?.step ?? step);
  if (writtenStep !== undefined && writtenStep !== step) best?.restore(parameters);
  return { reason, step, writtenStep, tokens, seconds, peakMemory: peakMemory() };
};

const accumulateSettings = ({ settings }: TrainingRun, kl: KlPenalty | undefined): AccumulateSettings => {
  const { dropout, neftuneAlpha, gradientCheckpointing } = settings;
  return {
    normalization: settings.normalization,
    scope: settings.reduceOver,
    microBatch: settings.microBatch,
    labelSmoothing: settings.labelSmoothing,
    reweighting: settings.reweighting,
    compute: settings.compute,
    kl,
    forward: {
      training: true,
      checkpointing: gradientCheckpointing,
      ...(dropout !== undefined && {
        dropout: { embedding: dropout, attention: dropout, residual: dropout },
      }),
      ...(neftuneAlpha !== undefined && { neftuneAlpha }),
    },
  };
};

/** The state to go on from, its tensors copied into place. */
const resume = (
  { model }: TrainingRun,
  parameters: ReadonlyMap<string, Tensor>,
  optimizer: AdamW,
  shelf: CheckpointShelf,
  note: (message: string) => void,
): RunState => {
  const checkpoint = shelf.newest((error) => note(`${error.message}; going back to the one before`));
  if (checkpoint === undefined) return START;
  const { state, weights, optimizer: tensors, rng } = checkpoint;
  noGrad(() => {
    for (const [name, parameter] of parameters) parameter.copy_(weights.get(name)!);
  });
  optimizer.restore({ steps: state.optimizerSteps, tensors });
  setRngState(rng, model.device);
  for (const tensor of [...weights.values(), ...tensors.values(), rng]) tensor.free();
  note(`going on after step ${state.step}, from the checkpoint in ${shelf.folder}`);
  return state;
};

const checkFinite = (
  values: { loss: number; penalty: number; norm: number },
  step: number,
  examples: readonly WeightedTokens[],
): void => {
  const names = { loss: "the loss", penalty: "the penalty", norm: "the norm of the gradients" };
  for (const [key, name] of Object.entries(names)) {
    const value = values[key as keyof typeof values];
    if (!Number.isFinite(value))
      throw new DivergenceError(
        `${name} is ${value}`,
        step,
        examples.map(({ source }) => source),
      );
  }
};
