// The most tokens that a row may have: the plan's, or what the model has positions for.
import { contextLength } from "../models/config/context-length.ts";
import { readModelConfig } from "../models/config/read-config.ts";
import type { DataPlan } from "./data-plan.ts";
import { DataPlanError } from "./errors.ts";

export interface LongestRow {
  /** Undefined where neither a length nor a model is named. */
  readonly maxLength: number | undefined;
  readonly notes: readonly string[];
}

/**
 * @throws {ModelError}, {ModelConfigError} where the model's config is needed and can't be read
 * @throws {DataPlanError} for a length that the model has no positions for, and for `overflow` without a length
 */
export function longestRow({ model, maxLength, overflow }: DataPlan): LongestRow {
  if (model === undefined) {
    if (overflow !== undefined && maxLength === undefined)
      throw new DataPlanError(
        "overflow says what to do with rows above maxLength, and there is no maxLength",
        {
          hint: "set maxLength (--max-length) too",
        },
      );
    return { maxLength, notes: [] };
  }
  const { architecture } = readModelConfig(model);
  const context = contextLength(architecture);
  if (maxLength === undefined || maxLength <= context) return { maxLength: maxLength ?? context, notes: [] };
  // Learned positions are rows of a table: there is none beyond its end.
  if (architecture.names.positions !== undefined)
    throw new DataPlanError(
      `maxLength: ${maxLength} is more than the ${context} tokens that ${model} has positions for`,
    );
  return { maxLength, notes: [`maxLength ${maxLength} is above the model's own ${context} positions`] };
}
