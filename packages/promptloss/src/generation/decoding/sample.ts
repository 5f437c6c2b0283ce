// Greedy decoding and sampling of a batch: one token a sequence and step, sequences that have ended leave the batch.
import { setImmediate } from "node:timers/promises";
import { noGrad, scope, type Tensor } from "@promptloss/torch";
import { notFinite } from "../../models/errors.ts";
import type { CausalLanguageModel } from "../../models/index.ts";
import type { GenerationSettings } from "../options.ts";
import type { Candidate, FinishReason, GeneratedSequence, TokenLogProbability } from "../types.ts";
import { floatsOf, idsOf, tokenLogProbabilities } from "./chosen.ts";
import { drawTokens } from "./draw.ts";
import { ModelSteps } from "./model-steps.ts";
import type { PromptTokens } from "./prompt.ts";
import { type UniformDraw, uniformDraw } from "./random.ts";
import { penalizeRepeats, stopMask } from "./scores.ts";

/** A sequence that grows. */
class Row implements Candidate {
  readonly prompt: number;
  readonly sequence: number;
  readonly ids: number[] = [];
  readonly logProbabilities: TokenLogProbability[] = [];
  readonly seen: Set<number>;
  readonly draw: UniformDraw;
  readonly room: number;
  end: { finishReason: FinishReason; stopReason?: number | string } | undefined;

  constructor(prompt: PromptTokens, sequence: number, settings: GenerationSettings) {
    this.prompt = prompt.index;
    this.sequence = sequence;
    this.room = prompt.room;
    this.seen = new Set(settings.repetitionPenalty === 1 ? [] : Array.from(prompt.ids));
    this.draw = uniformDraw(settings.seeds(prompt.index, sequence));
  }

  result(withLogProbabilities: boolean): GeneratedSequence {
    return {
      ids: Int32Array.from(this.ids),
      ...(this.end ?? { finishReason: "abort" }),
      ...(withLogProbabilities && { logProbabilities: this.logProbabilities }),
    };
  }
}

interface Chosen {
  readonly ids: Int32Array;
  readonly logProbabilities: readonly TokenLogProbability[] | undefined;
}

/** @returns by prompt, in the order given, its sequences */
export async function sampleBatch(
  model: CausalLanguageModel,
  prompts: readonly PromptTokens[],
  settings: GenerationSettings,
): Promise<GeneratedSequence[][]> {
  const { sequences, signal, logProbabilities } = settings;
  const all = prompts.map((prompt) =>
    Array.from({ length: sequences }, (_, sequence) => new Row(prompt, sequence, settings)),
  );
  const longest = Math.max(...prompts.map(({ ids }) => ids.length));
  using steps = new ModelSteps(model, prompts.length, longest, settings.maxNewTokens);
  let rows = all.flat();
  let read: Int32Array | undefined;
  while (rows.length > 0 && !signal?.aborted) {
    const chosen = noGrad(() =>
      scope(() =>
        choose(read === undefined ? first(steps, prompts, sequences) : steps.next(read), rows, settings),
      ),
    );
    await take(rows, chosen, settings);
    const going = rows.flatMap((row, i) => (row.end === undefined ? [i] : []));
    steps.reorder(going);
    rows = going.map((i) => rows[i]!);
    // Others get their turn between two steps: signals, requests, terminals.
    await setImmediate();
    read = Int32Array.from(going, (i) => chosen.ids[i]!);
  }
  return all.map((group) => group.map((row) => row.result(logProbabilities !== undefined)));
}

/** Reads each prompt once for all its sequences. */
function first(steps: ModelSteps, prompts: readonly PromptTokens[], sequences: number): Tensor {
  const logits = steps.prefill(prompts.map(({ ids }) => ids));
  if (sequences === 1) return logits;
  steps.reorder(prompts.flatMap((_, i) => new Array<number>(sequences).fill(i)));
  return logits.repeatInterleave(sequences);
}

function choose(logits: Tensor, rows: readonly Row[], settings: GenerationSettings): Chosen {
  const { repetitionPenalty, minNewTokens, stopIds, temperature, logProbabilities } = settings;
  let scores = logits;
  if (repetitionPenalty !== 1)
    scores = penalizeRepeats(
      scores,
      rows.map(({ seen }) => seen),
      repetitionPenalty,
    );
  // All rows of a batch have come equally far.
  if (rows[0]!.ids.length < minNewTokens && stopIds.size > 0)
    scores = scores.maskedFill(stopMask(scores.shape[1]!, stopIds, scores.device), Number.NEGATIVE_INFINITY);
  const [best, greedy] = scores.max(-1, { keepdim: true });
  if (floatsOf(best).some((score) => !Number.isFinite(score))) throw notFinite("the model's logits");
  const uniforms = (): Float64Array => Float64Array.from(rows, ({ draw }) => draw());
  const ids = temperature === 0 ? greedy : drawTokens(scores, uniforms(), settings);
  return {
    ids: idsOf(ids),
    logProbabilities:
      logProbabilities === undefined ? undefined : tokenLogProbabilities(logits, ids, logProbabilities),
  };
}

/** Gives each row its token, tells of it, and finds out which rows end. */
async function take(
  rows: readonly Row[],
  { ids, logProbabilities }: Chosen,
  settings: GenerationSettings,
): Promise<void> {
  const { stopIds, stopCriterion, onTokens, repetitionPenalty } = settings;
  rows.forEach((row, i) => {
    const id = ids[i]!;
    row.ids.push(id);
    if (repetitionPenalty !== 1) row.seen.add(id);
    if (logProbabilities !== undefined) row.logProbabilities.push(logProbabilities[i]!);
    if (stopIds.has(id)) row.end = { finishReason: "stop", stopReason: id };
  });
  await onTokens?.(
    rows.map(({ prompt, sequence }, i) => ({
      prompt,
      sequence,
      id: ids[i]!,
      ...(logProbabilities !== undefined && { logProbability: logProbabilities[i]! }),
    })),
  );
  const open = rows.filter(({ end }) => end === undefined);
  const reasons = open.length === 0 ? undefined : await stopCriterion?.(open);
  open.forEach((row, i) => {
    const reason = reasons?.[i];
    if (reason !== undefined) row.end = { finishReason: "stop", stopReason: reason };
    else if (row.ids.length >= row.room) row.end = { finishReason: "length" };
  });
}
