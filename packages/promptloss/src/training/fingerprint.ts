// What decides on a run's result, as hashes: two runs of the same fingerprint compute the same, so that one may go on
// from the other's checkpoint.
import { createHash } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
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

/** Bytes at a file's head that are hashed: a safetensors file's header, and weights enough to tell models apart. */
const HEAD_BYTES = 1 << 20;

/** SHA-256 of a model folder: its config whole, of each weights file the size and the first MiB. */
export const hashOfModel = (folder: string): string => {
  const hash = createHash("sha256").update(readFileSync(join(folder, "config.json")));
  const files = readdirSync(folder).filter((name) => name.endsWith(".safetensors"));
  for (const name of files.sort()) {
    const path = join(folder, name);
    hash.update(`${name} ${statSync(path).size}\n`);
    const file = openSync(path, "r");
    try {
      const head = Buffer.alloc(HEAD_BYTES);
      hash.update(head.subarray(0, readSync(file, head, 0, HEAD_BYTES, 0)));
    } finally {
      closeSync(file);
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
