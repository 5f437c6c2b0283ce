// From classes to weights: prompt loss weight, completion weight, a weight for single classes, and a function.
// Weights that the data carries come before the class's, or scale it; the row's weight multiplies all.
import { TOKEN_CLASSES, type TokenClass } from "../example.ts";
import { partOfClass } from "../token-parts.ts";
import { CLASS_CODE, type ClassifiedTokens } from "./classified-tokens.ts";
import { WeightError } from "./errors.ts";
import { weightProblems } from "./weight-range.ts";
import { WeightedTokens } from "./weighted-tokens.ts";

/** What a token-weight function is told of a token. */
export interface TokenWeightContext {
  readonly id: number;
  readonly class: TokenClass;
  /** Position in the row. */
  readonly index: number;
  /** The weight that the token would have. */
  readonly weight: number;
  readonly row: ClassifiedTokens;
}

export interface WeightPolicy {
  /**
   * The weight of the prompt: system, instruction, input, tool-definition, tool-result and template tokens. 0 masks it, 1
   * trains on all.
   */
  readonly promptLossWeight: number;
  /** The weight of what the model writes: completion, reasoning and tool-call tokens; 1 when left out. */
  readonly completionWeight?: number;
  /** Weights for single classes, in place of the two above. `end` (the stop token) is 1 when left out. */
  readonly perClass?: Readonly<Partial<Record<TokenClass, number>>>;
  /** Weights above 1, and completions of weight 0, are meant. They are refused otherwise. */
  readonly allowAnyWeight?: boolean;
  /** Returns the weight of a token: finite, 0 or more. The row's own weight multiplies what it returns. */
  readonly tokenWeight?: (token: TokenWeightContext) => number;
}

/** A checked policy. */
export interface ResolvedWeightPolicy {
  /** By class code. */
  readonly classWeights: readonly number[];
  readonly tokenWeight: ((token: TokenWeightContext) => number) | undefined;
  readonly warnings: readonly string[];
}

const KEYS = ["promptLossWeight", "completionWeight", "perClass", "allowAnyWeight", "tokenWeight"];

function checkKeys(value: object, known: readonly string[], prefix: string): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new WeightError(`${prefix}${key}`, "there is no such weight", {
        hint: `The keys are ${known.join(", ")}.`,
      });
    }
  }
}

/**
 * Checks a policy and settles the weight of each class.
 * @throws {WeightError} for an unknown key, and for a weight that makes no sense (see {@link weightProblems})
 */
export function resolveWeightPolicy(policy: WeightPolicy): ResolvedWeightPolicy {
  checkKeys(policy, KEYS, "");
  const perClass = policy.perClass ?? {};
  checkKeys(perClass, TOKEN_CLASSES, "perClass.");
  if (policy.completionWeight !== undefined && perClass.completion !== undefined) {
    throw new WeightError("completionWeight", "perClass.completion says the same thing again", {
      hint: "Leave one of the two out.",
    });
  }
  if (policy.tokenWeight !== undefined && typeof policy.tokenWeight !== "function") {
    throw new WeightError("tokenWeight", "should be a function");
  }
  if (typeof policy.promptLossWeight !== "number")
    throw new WeightError("promptLossWeight", `${String(policy.promptLossWeight)} is not a number`);
  const [problem] = weightProblems(policy);
  if (problem !== undefined) throw new WeightError(problem.field, problem.message);
  const { promptLossWeight: prompt, completionWeight: completion = 1 } = policy;
  const byDefault = (name: TokenClass): number => {
    if (partOfClass(name) === "prompt") return prompt;
    return name === "end" ? 1 : completion;
  };
  const classWeights = TOKEN_CLASSES.map((name) => perClass[name] ?? byDefault(name));
  const warnings =
    classWeights[CLASS_CODE.end] === 0
      ? ["the stop token has weight 0: the model is not taught to stop (perClass.end)"]
      : [];
  return Object.freeze({ classWeights, tokenWeight: policy.tokenWeight, warnings });
}

/**
 * Gives a row its weights.
 * @throws {WeightError} when the token-weight function returns what is no weight; it names the row and the token
 */
export function weighTokens(row: ClassifiedTokens, policy: ResolvedWeightPolicy): WeightedTokens {
  const { ids, classes, partWeights, scales, rowWeight, source } = row;
  const weights = new Float32Array(ids.length);
  for (let i = 0; i < ids.length; i++) {
    const code = classes[i]!;
    const fromPart = partWeights === undefined ? Number.NaN : partWeights[i]!;
    let weight = Number.isNaN(fromPart) ? policy.classWeights[code]! * (scales?.[i] ?? 1) : fromPart;
    if (policy.tokenWeight !== undefined) {
      weight = policy.tokenWeight({ id: ids[i]!, class: TOKEN_CLASSES[code]!, index: i, weight, row });
      if (typeof weight !== "number" || !Number.isFinite(weight) || weight < 0)
        throw new WeightError(
          `${source.file}, row ${source.row}: tokenWeight of token ${i}`,
          `${String(weight)} is not a finite number of 0 or more`,
        );
    }
    weights[i] = weight * rowWeight;
  }
  return WeightedTokens.of({ ids, classes, weights, source });
}
