// One line of the calibration at a time, on a thread of its own.
import { parentPort } from "node:worker_threads";
import { type SamplingTally, samplingTally } from "./sampling.ts";
import { type Tally, tally } from "./tally.ts";
import { DESIGNS, TRUTHS } from "./truths.ts";

/** A line by the indices of its truth and design; or of sampling error. */
export type Job = { readonly design: number } & (
  | { readonly truth: number }
  | { readonly sharedItems: boolean; readonly course: SamplingTally["course"] }
);

export interface Line {
  readonly job: number;
  readonly result: Tally | SamplingTally;
}

parentPort?.on("message", ({ job, what, studies, seed }: Asked) => {
  const design = DESIGNS[what.design]!;
  const result =
    "truth" in what
      ? tally(design, TRUTHS[what.truth]!, studies, seed)
      : samplingTally(design, what.sharedItems, what.course, studies, seed);
  parentPort!.postMessage({ job, result } satisfies Line);
});

export interface Asked {
  readonly job: number;
  readonly what: Job;
  readonly studies: number;
  readonly seed: number;
}
