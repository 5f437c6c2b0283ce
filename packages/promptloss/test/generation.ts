// What test/python/generation.py wrote.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { GenerateOptions } from "../src/generation/index.ts";

export interface GenerationGolden {
  prompt: number[];
  options: GenerateOptions & { stopIds?: number[] };
  sequences: number[][];
  /** Of beams. */
  scores?: number[];
}

const folder = new URL("./goldens/generation/", import.meta.url);

export const generationGoldens = existsSync(folder)
  ? readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length))
  : [];

export function generationGolden(name: string): GenerationGolden[] {
  return JSON.parse(readFileSync(new URL(`${name}.json`, folder), "utf8"));
}
