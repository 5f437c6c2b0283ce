// Beam search's bookkeeping for one prompt: which beams run on, which continuations have ended, when no better one can
// come. The rules and the float32 arithmetic are transformers' (GenerationMixin._beam_search), so that results are
// equal. Scores come from beam-search.ts; nothing here knows about tensors.
import type { GenerationSettings } from "../options.ts";
import type { FinishReason, TokenLogProbability } from "../types.ts";

/** A token of a beam, with those before it. */
export interface BeamNode {
  readonly id: number;
  readonly parent: BeamNode | undefined;
  /** New tokens up to this one. */
  readonly length: number;
  readonly logProbability: TokenLogProbability | undefined;
}

export interface BeamEnd {
  readonly finishReason: FinishReason;
  readonly stopReason?: number | string;
}

/** An extension of a beam. */
export interface BeamCandidate {
  /** Which of the running beams it extends. */
  readonly beam: number;
  readonly node: BeamNode;
  /** Summed log-probability. */
  readonly score: number;
  /** Undefined where it can run on. */
  readonly end: BeamEnd | undefined;
}

export interface EndedBeam {
  readonly node: BeamNode;
  /** Over length ** lengthPenalty. */
  readonly score: number;
  readonly end: BeamEnd;
}

interface Slot {
  readonly score: number;
  readonly ended: EndedBeam | undefined;
}

interface RunningBeam {
  readonly beam: number;
  readonly node: BeamNode | undefined;
  readonly score: number;
}

/** Below every real score; float32 loses what is added to it. */
const LOWEST = -1e9;

const { fround } = Math;

export function beamIds(node: BeamNode | undefined): number[] {
  const ids = new Array<number>(node?.length ?? 0);
  for (let at = node; at !== undefined; at = at.parent) ids[at.length - 1] = at.id;
  return ids;
}

export class BeamState {
  readonly #settings: Pick<GenerationSettings, "beams" | "lengthPenalty" | "earlyStopping">;
  readonly #room: number;
  #running: readonly RunningBeam[];
  #ended: readonly Slot[];
  #done = false;

  /** @param room new tokens at most */
  constructor(settings: Pick<GenerationSettings, "beams" | "lengthPenalty" | "earlyStopping">, room: number) {
    const { beams } = settings;
    this.#settings = settings;
    this.#room = room;
    // At first all beams are the prompt: only one may be extended.
    this.#running = Array.from({ length: beams }, (_, beam) => ({
      beam,
      node: undefined,
      score: beam === 0 ? 0 : LOWEST,
    }));
    this.#ended = Array.from({ length: beams }, () => ({ score: LOWEST, ended: undefined }));
  }

  /** The beams to extend, best first; `beam` is the one of the step before that each came from. */
  get running(): readonly RunningBeam[] {
    return this.#running;
  }

  get done(): boolean {
    return this.#done;
  }

  /** Takes the best extensions of all beams, best first. */
  advance(candidates: readonly BeamCandidate[]): void {
    const { beams } = this.#settings;
    const running = candidates.map((candidate) => ({
      ...candidate,
      score: fround(candidate.score + (candidate.end === undefined ? 0 : LOWEST)),
    }));
    this.#running = best(running, beams);
    this.#collect(candidates);
    const length = candidates[0]!.node.length;
    const full = this.#settings.earlyStopping === true && this.#isFull();
    const stuck = candidates.every(({ end }) => end !== undefined);
    this.#done = full || stuck || !this.#improvable(length);
  }

  /** The best continuations, best first; beams that still run come last, as aborted. */
  results(count: number): EndedBeam[] {
    const ended = this.#ended.flatMap(({ ended }) => ended ?? []);
    const running = this.#running.flatMap(({ node, score }) =>
      node === undefined || score <= LOWEST / 2
        ? []
        : [{ node, score: this.#normalized(score, node.length), end: { finishReason: "abort" as const } }],
    );
    return [...ended, ...running].slice(0, count);
  }

  #isFull(): boolean {
    return this.#ended.every(({ ended }) => ended !== undefined);
  }

  #normalized(score: number, length: number): number {
    return fround(score / fround(length ** this.#settings.lengthPenalty));
  }

  /** Only the first `beams` extensions may end: the others are there so that enough beams run on. */
  #collect(candidates: readonly BeamCandidate[]): void {
    const { beams } = this.#settings;
    const fresh = candidates.slice(0, beams).flatMap(({ node, score, end }): Slot[] => {
      if (end === undefined) return [];
      const normalized = this.#normalized(score, node.length);
      return [{ score: normalized, ended: { node, score: normalized, end } }];
    });
    this.#ended = best([...this.#ended, ...fresh], beams);
  }

  /** Whether the best running beam, at the length where it would look best, beats the worst ended one. */
  #improvable(length: number): boolean {
    const { earlyStopping, lengthPenalty } = this.#settings;
    if (!this.#isFull()) return true;
    const far = earlyStopping === "never" && lengthPenalty > 0 ? this.#room : length;
    const worst = Math.min(...this.#ended.map(({ score }) => score));
    return this.#normalized(this.#running[0]!.score, far) > worst;
  }
}

/** The highest scores first; equal ones keep their order. */
function best<T extends { readonly score: number }>(items: readonly T[], count: number): T[] {
  return [...items].sort((a, b) => b.score - a.score).slice(0, count);
}
