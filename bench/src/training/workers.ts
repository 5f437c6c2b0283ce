// Processes of our side: one measures a case, or answers one question.
import { fileURLToPath } from "node:url";
import { type Allocator, sidesEnvironment } from "../lib/conditions.ts";
import { Peer } from "../lib/peer.ts";
import type { CreateRequest, PeakRequest } from "./protocol.ts";

const program = fileURLToPath(new URL("worker.js", import.meta.url));

export function newWorker(allocator?: Allocator): Peer {
  return new Peer("ours", process.execPath, [program], sidesEnvironment(allocator));
}

/** One answer of a process of its own. */
export async function askOnce<T>(request: CreateRequest | PeakRequest): Promise<T> {
  const worker = newWorker();
  try {
    return await worker.ask<T>(request);
  } finally {
    worker.close();
  }
}
