// The generation ratio Rg = completion length / prompt length in tokens (arXiv 2401.13586): instruction and input
// only, not the template around them nor what tools say, as a ratio of mean lengths; beside it the mean of the rows'
// ratios. Reasoning and calls are part of what is generated. Pure.
import { type PartLengths, writtenLengths } from "./part-lengths.ts";

export interface GenerationRatio {
  /** Mean completion over mean prompt; undefined without prompt tokens. The one that the paper reports. */
  readonly ratioOfMeans: number | undefined;
  /** The mean over the rows that have a prompt; undefined without such rows. */
  readonly meanOfRatios: number | undefined;
  /** Rows without a prompt token, which the mean of ratios leaves out. */
  readonly rowsWithoutPrompt: number;
}

export function generationRatio(lengths: PartLengths): GenerationRatio {
  const { instruction, input } = lengths;
  const completion = writtenLengths(lengths);
  let [prompts, completions, ratios, rowsWithout] = [0, 0, 0, 0];
  for (let row = 0; row < completion.length; row++) {
    const prompt = instruction[row]! + input[row]!;
    prompts += prompt;
    completions += completion[row]!;
    if (prompt === 0) rowsWithout++;
    else ratios += completion[row]! / prompt;
  }
  const rows = completion.length;
  return {
    // The ratio of the sums is that of the means.
    ratioOfMeans: prompts === 0 ? undefined : completions / prompts,
    meanOfRatios: rows === rowsWithout ? undefined : ratios / (rows - rowsWithout),
    rowsWithoutPrompt: rowsWithout,
  };
}
