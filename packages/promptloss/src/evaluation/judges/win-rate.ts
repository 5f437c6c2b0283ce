// Verdicts → shares. A win is 1, a draw a half, a loss 0; the win rate is their mean in percent, with the standard
// error of a mean (n − 1 in the variance), as AlpacaEval reports it.
import { JudgeError } from "./errors.ts";
import type { Verdict } from "./protocol.ts";

export interface WinRate {
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** Not in the rates. */
  readonly unreadable: number;
  /** Verdicts in the rates. */
  readonly n: number;
  /** In percent. */
  readonly winRate: number;
  /** In percent; left out of a single verdict. */
  readonly standardError?: number;
}

const SCORES: Readonly<Partial<Record<Verdict, number>>> = { win: 1, tie: 0.5, lose: 0 };

/** 1, 0.5 or 0; undefined for a verdict that could not be read. */
export function scoreOf(verdict: Verdict): number | undefined {
  return SCORES[verdict];
}

/** @throws {JudgeError} where no verdict could be read: a rate of nothing is no number */
export function winRate(verdicts: readonly Verdict[]): WinRate {
  const count = (wanted: Verdict): number => verdicts.filter((verdict) => verdict === wanted).length;
  const scores = verdicts.map(scoreOf).filter((score) => score !== undefined);
  const n = scores.length;
  if (n === 0)
    throw new JudgeError(`none of the ${verdicts.length} verdicts could be read`, {
      hint: "a win rate takes one verdict at least",
    });
  const mean = scores.reduce((sum, score) => sum + score, 0) / n;
  const squares = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0);
  return {
    wins: count("win"),
    losses: count("lose"),
    ties: count("tie"),
    unreadable: count("unreadable"),
    n,
    winRate: 100 * mean,
    ...(n > 1 && { standardError: 100 * Math.sqrt(squares / (n - 1) / n) }),
  };
}
