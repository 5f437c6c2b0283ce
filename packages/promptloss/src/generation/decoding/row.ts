// A sequence that grows: what it has read, what it has written, and what decides on its next token.
import type { GenerationSettings } from "../options.ts";
import type { Candidate, FinishReason, GeneratedSequence, TokenLogProbability } from "../types.ts";
import type { TokenConstraint } from "./constraint.ts";
import type { PromptTokens } from "./prompt.ts";
import { type UniformDraw, uniformDraw } from "./random.ts";

export interface RowEnd {
  readonly finishReason: FinishReason;
  readonly stopReason?: number | string;
}

export class Row implements Candidate {
  readonly prompt: number;
  readonly sequence: number;
  readonly ids: number[] = [];
  readonly logProbabilities: TokenLogProbability[] = [];
  /** Tokens that the repetition penalty is for. */
  readonly seen: Set<number>;
  readonly draw: UniformDraw;
  /** New tokens at most. */
  readonly room: number;
  readonly settings: GenerationSettings;
  /** What may come next; undefined for anything. */
  readonly constraint: TokenConstraint | undefined;
  /** Prompt and continuation, read or not. */
  readonly all: number[];
  /** How many of them the cache holds. */
  read = 0;
  /** Tokens behind them that are chosen, and are still on the device. */
  pending = 0;
  end: RowEnd | undefined;

  constructor(prompt: PromptTokens, sequence: number, settings: GenerationSettings) {
    this.prompt = prompt.index;
    this.sequence = sequence;
    this.room = prompt.room;
    this.settings = settings;
    this.all = Array.from(prompt.ids);
    this.seen = new Set(settings.repetitionPenalty === 1 ? [] : Array.from(prompt.decoded));
    this.draw = uniformDraw(settings.seeds(prompt.index, sequence));
    this.constraint = settings.constraint?.(prompt.index, sequence);
  }

  /** Tokens that are not read yet. */
  get unread(): number {
    return this.all.length + this.pending - this.read;
  }

  /** New tokens, those on the device among them. */
  get length(): number {
    return this.ids.length + this.pending;
  }

  /** Forgets what was chosen for it and not taken: it ended before. */
  drop(): void {
    this.pending = 0;
    this.read = Math.min(this.read, this.all.length);
  }

  /** Gives it a token. */
  take(id: number, logProbability: TokenLogProbability | undefined): void {
    this.ids.push(id);
    this.all.push(id);
    this.pending--;
    if (this.settings.repetitionPenalty !== 1) this.seen.add(id);
    if (logProbability !== undefined) this.logProbabilities.push(logProbability);
    if (this.settings.stopIds.has(id)) this.end = { finishReason: "stop", stopReason: id };
    else {
      this.constraint?.accept(id);
      if (this.constraint?.complete) this.end = { finishReason: "stop", stopReason: COMPLETE };
    }
  }

  result(): GeneratedSequence {
    return {
      ids: Int32Array.from(this.ids),
      ...(this.end ?? { finishReason: "abort" }),
      ...(this.settings.logProbabilities !== undefined && { logProbabilities: this.logProbabilities }),
    };
  }
}

/** The reason of a sequence that a constraint lets nothing follow. */
export const COMPLETE = "complete";
