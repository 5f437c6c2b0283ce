// What a user should know of the data before training on it. Pure.
import type { TokenizationReport } from "../data/tokens/index.ts";
import type { Inspection } from "./inspection.ts";

/** Duplicates below this share are what any collected data set has. */
const MANY_DUPLICATES = 0.01;

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.01 ? 2 : 1)} %`;
}

function rows(count: number): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? "row" : "rows"}`;
}

export function inspectionWarnings(
  found: Omit<Inspection, "warnings">,
  report: TokenizationReport,
): string[] {
  const warnings = [...report.warnings];
  const { trained, duplicates, emptyCompletions, generationRatio } = found;
  if (found.rows === 0) return ["there are no rows"];
  if (emptyCompletions > 0)
    warnings.push(
      `${rows(emptyCompletions)} with an empty completion: what is trained of them is to stop at once`,
    );
  if (duplicates.rows > MANY_DUPLICATES * found.rows)
    warnings.push(
      `${rows(duplicates.rows)} repeat an earlier row to the letter (${percent(duplicates.rows / found.rows)})`,
    );
  if (trained.refused > 0)
    warnings.push(
      `the template ${trained.template} refuses ${trained.refused} of ${trained.rows + trained.refused} sampled rows: ${report.skipped[0]?.message}`,
    );
  if (trained.straddles > 0)
    warnings.push(
      `in ${rows(trained.straddles)} of ${trained.rows} sampled the completion's first token would reach into the prompt; training splits it there, as inference does`,
    );
  for (const { token, completions, untrained } of trained.ends)
    if (token !== undefined && untrained > 0)
      warnings.push(
        `${token} ends ${rows(completions).replace(/rows?$/, "sampled completions")}, in ${untrained.toLocaleString("en-US")} of them with weight 0: those don't teach the model to stop`,
      );
  if (generationRatio.ratioOfMeans === undefined)
    warnings.push("there are no prompt tokens: a prompt loss weight changes nothing");
  return warnings;
}
