// What decides on a run's result, as hashes: two runs of the same fingerprint compute the same, so that one may go on
// from the other's checkpoint.
import { createHash } from "node:crypto";
import type { RowSet } from "../data/row-subset.ts";
import type { Recipe } from "../recipe/index.ts";

/** SHA-256 over ids, classes and weights of all rows, those held out included. */
export const hashOfRows = (rows: RowSet, heldOut: RowSet | undefined): string => {
  const hash = createHash("sha256");
  for (const set of [rows, heldOut]) {
    hash.update(`rows ${set?.length ?? 0}\n`);
    for (let index = 0; index < (set?.length ?? 0); index++) {
      const { ids, classes, weights } = set!.at(index);
      for (const { buffer, byteOffset, byteLength } of [ids, classes, weights])
        hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
  }
  return hash.digest("hex");
};

/** Where things lie, how often they are written and how many threads compute change no result. */
export const hashOfRun = (recipe: Recipe, hashes: { dataHash: string; modelHash: string }): string => {
  const { output: _o, model: _m, tokenizer: _t, data: _d, checkpoints: _c, probes: _p, ...deciding } = recipe;
  const { logEvery: _l, threads: _n, ...training } = deciding.training;
  const { data: _e, ...evaluation } = deciding.evaluation ?? {};
  return createHash("sha256")
    .update(JSON.stringify([{ ...deciding, training, evaluation }, hashes]))
    .digest("hex");
};
