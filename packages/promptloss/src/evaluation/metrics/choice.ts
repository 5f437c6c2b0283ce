// Multiple choice from log-likelihoods: accuracy, plain and by characters, and the probability of right answers.
import type { ChoiceItem } from "../requests/item.ts";

/** The first of the greatest. */
export function argmax(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}

/** @param sums log-likelihoods of the choices */
export function choiceMetric(
  metric: "acc" | "acc_norm" | "mc1" | "mc2",
  sums: readonly number[],
  { choices, right }: ChoiceItem,
): number {
  const isRight = (chosen: number): number => (right[chosen] ? 1 : 0);
  switch (metric) {
    case "acc":
    case "mc1":
      return isRight(argmax(sums));
    case "acc_norm":
      // Code points, as Python counts characters.
      return isRight(argmax(sums.map((sum, i) => sum / [...choices[i]!].length)));
    case "mc2": {
      const most = Math.max(...sums);
      const probabilities = sums.map((sum) => Math.exp(sum - most));
      const all = probabilities.reduce((total, each) => total + each, 0);
      return probabilities.reduce((total, each, i) => total + (right[i] ? each : 0), 0) / all;
    }
  }
}
