// The generation ratio of data. Counts the parts' lengths and nothing else.
import type { Example } from "../data/example.ts";
import type { Tokenizer } from "../data/tokenizer/index.ts";
import { type GenerationRatio, generationRatio } from "./generation-ratio.ts";
import { PartCounter } from "./part-lengths.ts";

export interface DataRatioOptions {
  readonly tokenizer: Tokenizer;
  /** Called after each row, with how many were read. */
  readonly onRow?: (rows: number) => void;
}

export interface DataRatio {
  readonly rows: number;
  readonly generationRatio: GenerationRatio;
}

/** Rg of examples, all of which are read once. */
export async function ratioOfData(
  examples: Iterable<Example> | AsyncIterable<Example>,
  { tokenizer, onRow }: DataRatioOptions,
): Promise<DataRatio> {
  const counter = new PartCounter(tokenizer);
  let rows = 0;
  for await (const example of examples) {
    await counter.add(example);
    onRow?.(++rows);
  }
  return { rows, generationRatio: generationRatio(await counter.finish()) };
}
