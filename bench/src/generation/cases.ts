// What is measured: greedy decoding of a fixed number of tokens after a short prompt, alone and in a batch.

export interface Case {
  readonly name: string;
  readonly dtype: "float32" | "bfloat16";
  readonly batch: number;
}

/** New tokens a sequence. */
export const TOKENS = 100;

export const cases: readonly Case[] = (["float32", "bfloat16"] as const).flatMap((dtype) =>
  [1, 16].map((batch) => ({ name: `${dtype}, ${batch} at once`, dtype, batch })),
);
