// What the two sides of the benchmark of evaluation are asked, and what they answer.

export interface Request {
  readonly model: string;
  /** The folder that tasks' files are under. */
  readonly data: string;
  readonly task: string;
  readonly limit: number;
  readonly dtype: "float32" | "bfloat16";
}

export interface Answer {
  readonly seconds: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Of each item's choices. */
  readonly logLikelihoods: readonly (readonly number[])[];
}
