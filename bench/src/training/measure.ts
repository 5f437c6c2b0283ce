// One case: every side opened, a round of warm-up, then rounds in which they take turns.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Peer } from "../lib/peer.ts";
import { median } from "../lib/statistics.ts";
import { type Case, LEARNING_RATE, type Length, LORA_RANK, type Side, sidesOf } from "./cases.ts";
import type { Facts, OpenRequest, Round } from "./protocol.ts";

export interface SideResult {
  readonly version: string;
  /** Floating-point operations a token; ours says. */
  readonly work?: number | undefined;
  /** The measured rounds' tokens a second. */
  readonly speeds: number[];
  /** Bytes. */
  peak: number;
  /** One a step, warm-up included. */
  readonly losses: number[];
}

export interface Result {
  readonly case: Case;
  readonly sides: Partial<Record<Side, SideResult>>;
}

export interface Place {
  readonly model: string;
  readonly data: string;
  readonly threads: number;
  readonly length: Length;
}

export async function measureCase(each: Case, place: Place, peerOf: (side: Side) => Peer): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-training-"));
  try {
    const request = openRequest(each, place, folder);
    // Ours first: the others read the rows and the adapter that it leaves.
    const sides = await takeTurns(sidesOf(each), place.length.rounds, (side) => [peerOf(side), request]);
    return { case: each, sides };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param folder of the case */
export function openRequest(each: Case, { length, ...place }: Place, folder: string): OpenRequest {
  const { chunk, rounds } = length;
  return {
    ...each,
    ...place,
    folder,
    steps: chunk * (rounds + 1),
    chunk,
    rank: LORA_RANK,
    learningRate: LEARNING_RATE,
  };
}

/** Opens the sides one after the other; then a round of warm-up, and rounds in which they take turns. */
export async function takeTurns<Name extends string>(
  sides: readonly Name[],
  rounds: number,
  opened: (side: Name) => readonly [peer: Peer, request: OpenRequest],
): Promise<Partial<Record<Name, SideResult>>> {
  const peers = new Map<Name, Peer>();
  const results: Partial<Record<Name, SideResult>> = {};
  for (const side of sides) {
    const [peer, request] = opened(side);
    peers.set(side, peer);
    const { version, work } = await peer.ask<Facts>(request);
    results[side] = { version, work, speeds: [], peak: 0, losses: [] };
  }
  for (let round = -1; round < rounds; round++) {
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const { seconds, tokens, losses, peak } = await peers.get(side)!.ask<Round>({ round });
      const result = results[side]!;
      result.losses.push(...losses);
      result.peak = peak;
      if (round >= 0) result.speeds.push(tokens / seconds);
    }
  }
  return results;
}

/** How many times as fast as a side ours is: the median of the rounds' ratios. */
export function ratioOf({ sides: { ours, ...others } }: Result, side: Exclude<Side, "ours">) {
  const other = others[side];
  return other && median(ours!.speeds.map((speed, round) => speed / other.speeds[round]!));
}

/** The largest relative difference of our losses from a side's, where it trained the same batches on the same weights. */
export function lossDifference(
  { case: { promptLossWeight }, sides: { ours, ...others } }: Result,
  side: "bare" | "trl",
): number | undefined {
  const other = others[side];
  if (other === undefined || (side === "trl" && promptLossWeight !== 0 && promptLossWeight !== 1))
    return undefined;
  return Math.max(...ours!.losses.map((loss, step) => Math.abs(loss / other.losses[step]! - 1)));
}
