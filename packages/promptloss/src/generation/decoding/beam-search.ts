// Beam search of a batch of prompts, each as it would be alone.
import { setImmediate } from "node:timers/promises";
import { fromTypedArray, noGrad, scope, type Tensor } from "@promptloss/torch";
import { notFinite } from "../../models/errors.ts";
import type { CausalLanguageModel } from "../../models/index.ts";
import type { GenerationSettings } from "../options.ts";
import type { GeneratedSequence, TokenLogProbability } from "../types.ts";
import { type BeamCandidate, type BeamNode, BeamState, beamIds } from "./beams.ts";
import { floatsOf, idsOf, likeliest } from "./chosen.ts";
import { ModelSteps } from "./model-steps.ts";
import type { PromptTokens } from "./prompt.ts";
import { logProbabilitiesOf, penalizeRepeats, stopMask } from "./scores.ts";

interface Search {
  readonly prompt: PromptTokens;
  readonly state: BeamState;
}

/** The best extensions of each prompt, best first, prompt after prompt. */
interface Extensions {
  readonly width: number;
  readonly scores: Float32Array;
  /** beam · vocabulary + token. */
  readonly places: Int32Array;
  readonly vocabulary: number;
  /** The model's own log-probability of each. */
  readonly logProbabilities: Float32Array | undefined;
  /** By row: the likeliest tokens. */
  readonly top: readonly TokenLogProbability["top"][] | undefined;
}

/** @returns by prompt, in the order given, its best sequences */
export async function searchBeams(
  model: CausalLanguageModel,
  prompts: readonly PromptTokens[],
  settings: GenerationSettings,
): Promise<GeneratedSequence[][]> {
  const { beams, signal } = settings;
  const all: Search[] = prompts.map((prompt) => ({ prompt, state: new BeamState(settings, prompt.room) }));
  const longest = Math.max(...prompts.map(({ ids }) => ids.length));
  using steps = new ModelSteps(model, prompts.length, longest, settings.maxNewTokens);
  let open = all;
  let read: Int32Array | undefined;
  while (open.length > 0 && !signal?.aborted) {
    const extensions = noGrad(() =>
      scope(() =>
        extend(read === undefined ? first(steps, prompts, beams) : steps.next(read), open, settings),
      ),
    );
    const candidates = await candidatesOf(extensions, open, settings);
    open.forEach(({ state }, i) => {
      state.advance(candidates[i]!);
    });
    const rows = open.flatMap(({ state }, i) =>
      state.done ? [] : state.running.map(({ beam }) => i * beams + beam),
    );
    steps.reorder(rows);
    open = open.filter(({ state }) => !state.done);
    // Others get their turn between two steps: signals, requests, terminals.
    await setImmediate();
    read = Int32Array.from(open.flatMap(({ state }) => state.running.map(({ node }) => node!.id)));
  }
  return all.map(({ state }) =>
    state.results(settings.sequences).map(({ node, score, end }) => ({
      ids: Int32Array.from(beamIds(node)),
      ...end,
      score,
      ...(settings.logProbabilities !== undefined && { logProbabilities: logProbabilitiesTo(node) }),
    })),
  );
}

/** Reads each prompt once for all its beams. */
function first(steps: ModelSteps, prompts: readonly PromptTokens[], beams: number): Tensor {
  const logits = steps.prefill(prompts.map(({ ids }) => ids));
  steps.reorder(prompts.flatMap((_, i) => new Array<number>(beams).fill(i)));
  return logits.repeatInterleave(beams);
}

/** @param logits [prompts · beams, vocabulary] */
function extend(logits: Tensor, open: readonly Search[], settings: GenerationSettings): Extensions {
  const { beams, stopIds, repetitionPenalty, minNewTokens, logProbabilities } = settings;
  const vocabulary = logits.shape[1]!;
  const own = logProbabilitiesOf(logits);
  const running = open.flatMap(({ state }) => state.running);
  let scores = own;
  if (repetitionPenalty !== 1) {
    const seen = open.flatMap(({ prompt, state }) =>
      state.running.map(({ node }) => new Set([...Array.from(prompt.decoded), ...beamIds(node)])),
    );
    scores = penalizeRepeats(scores, seen, repetitionPenalty);
  }
  if ((running[0]!.node?.length ?? 0) < minNewTokens && stopIds.size > 0)
    scores = scores.maskedFill(stopMask(vocabulary, stopIds, scores.device), Number.NEGATIVE_INFINITY);
  const past = fromTypedArray(
    Float32Array.from(running, ({ score }) => score),
    [running.length, 1],
    { device: scores.device },
  );
  // Enough that `beams` of them can run on, however many end in a stop token.
  const width = Math.min(Math.max(2, 1 + stopIds.size) * beams, beams * vocabulary);
  const [values, places] = scores.add(past).reshape([open.length, -1]).topk(width);
  const asked = logProbabilities !== undefined;
  const found = floatsOf(values);
  // NaN counts as greatest, so that it stands among these where there is one.
  if (found.some(Number.isNaN)) throw notFinite("the model's logits");
  return {
    width,
    vocabulary,
    scores: found,
    places: idsOf(places),
    logProbabilities: asked ? floatsOf(own.reshape([open.length, -1]).gather(1, places)) : undefined,
    top: asked ? likeliest(own, logProbabilities) : undefined,
  };
}

async function candidatesOf(
  extensions: Extensions,
  open: readonly Search[],
  settings: GenerationSettings,
): Promise<BeamCandidate[][]> {
  const { width, vocabulary, scores, places, logProbabilities, top } = extensions;
  const { beams, stopIds, stopCriterion } = settings;
  const drafts = open.map(({ state }, i) =>
    Array.from({ length: width }, (_, k) => {
      const at = i * width + k;
      const beam = Math.trunc(places[at]! / vocabulary);
      const id = places[at]! % vocabulary;
      const parent = state.running[beam]!.node;
      const logProbability = logProbabilities && {
        id,
        logProbability: logProbabilities[at]!,
        top: top![i * beams + beam]!,
      };
      const node: BeamNode = { id, parent, length: (parent?.length ?? 0) + 1, logProbability };
      return { beam, node, score: scores[at]! };
    }),
  );
  const asked = drafts.flatMap((group, i) =>
    group.flatMap(({ node }) => (stopIds.has(node.id) ? [] : [{ node, prompt: open[i]!.prompt.index }])),
  );
  const reasons = await stopCriterion?.(
    asked.map(({ node, prompt }) => ({ prompt, sequence: 0, ids: beamIds(node) })),
  );
  const reasonOf = new Map(asked.map(({ node }, i) => [node, reasons?.[i]]));
  return drafts.map((group, i) =>
    group.map((draft) => ({ ...draft, end: endOf(draft.node, open[i]!.prompt.room, stopIds, reasonOf) })),
  );
}

function endOf(
  node: BeamNode,
  room: number,
  stopIds: ReadonlySet<number>,
  reasons: ReadonlyMap<BeamNode, string | undefined>,
): BeamCandidate["end"] {
  if (stopIds.has(node.id)) return { finishReason: "stop", stopReason: node.id };
  const reason = reasons.get(node);
  if (reason !== undefined) return { finishReason: "stop", stopReason: reason };
  return node.length >= room ? { finishReason: "length" } : undefined;
}

function logProbabilitiesTo(node: BeamNode): TokenLogProbability[] {
  const list = new Array<TokenLogProbability>(node.length);
  for (let at: BeamNode | undefined = node; at !== undefined; at = at.parent)
    list[at.length - 1] = at.logProbability!;
  return list;
}
