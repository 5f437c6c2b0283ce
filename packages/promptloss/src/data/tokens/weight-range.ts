// Which weights of classes make sense. The one check of them: recipes, commands, studies and programs come through here.
import type { TokenClass } from "../example.ts";
import type { WeightPolicy } from "./weight-policy.ts";

export interface WeightProblem {
  /** As in `perClass.end`. */
  readonly field: string;
  readonly message: string;
}

const PERMISSION = "loss.allowAnyWeight: true (--allow-any-weight) allows it";

type ClassWeights = Omit<Partial<WeightPolicy>, "promptLossWeight" | "tokenWeight"> & {
  readonly promptLossWeight?: number | "auto" | undefined;
};

/**
 * What is wrong with a policy's weights. A weight is finite and 0 or more; without `allowAnyWeight` it is 1 at most, and
 * that of completions above 0: a prompt that counts for more than its completion, or completions that count for nothing,
 * are slips far more often than wishes. Not even with it is a weight negative: the loss would reward what it should
 * punish, and a sum of weights could be 0.
 */
export function weightProblems(policy: ClassWeights): WeightProblem[] {
  const { promptLossWeight, completionWeight, perClass = {}, allowAnyWeight = false } = policy;
  const given: readonly (readonly [string, TokenClass | undefined, unknown])[] = [
    ["promptLossWeight", undefined, promptLossWeight === "auto" ? undefined : promptLossWeight],
    ["completionWeight", "completion", completionWeight],
    ...Object.entries(perClass).map(
      ([name, weight]) => [`perClass.${name}`, name as TokenClass, weight] as const,
    ),
  ];
  return given.flatMap(([field, name, weight]) => {
    const message = weight === undefined ? undefined : problemOf(weight, name, allowAnyWeight);
    return message === undefined ? [] : [{ field, message }];
  });
}

function problemOf(weight: unknown, name: TokenClass | undefined, anyWeight: boolean): string | undefined {
  if (typeof weight !== "number" || !Number.isFinite(weight) || weight < 0)
    return `${String(weight)} is not a finite number of 0 or more`;
  if (anyWeight) return undefined;
  if (weight > 1) return `${weight} is above 1, the weight of a completion; ${PERMISSION}`;
  if (weight === 0 && name === "completion") return `0 trains on no completion; ${PERMISSION}`;
  return undefined;
}
