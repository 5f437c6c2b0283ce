// From the scale that is modeled back to a benchmark's own: the inverse of the recorded transforms. What a clip cut
// off does not come back.
import type { AppliedTransform } from "../../statistics/index.ts";

/**
 * The inverse for one benchmark, monotone.
 * @param negated whether less is better, where values were negated before the transforms
 */
export function rawScale(
  applied: readonly AppliedTransform[],
  benchmark: string,
  negated: boolean,
): (score: number) => number {
  const steps = applied.map((step) => inverseOf(step, benchmark)).reverse();
  return (score) => {
    const value = steps.reduce((x, step) => step(x), score);
    return negated ? -value : value;
  };
}

function inverseOf({ name, parameters }: AppliedTransform, benchmark: string): (y: number) => number {
  switch (name) {
    case "percent":
      return (y) => 100 * y;
    case "min-max": {
      const low = parameters[`${benchmark} min`] ?? 0;
      const high = parameters[`${benchmark} max`] ?? 1;
      return (y) => low + y * (high - low);
    }
    case "squeeze": {
      const n = parameters.n!;
      return (y) => (y * n - 0.5) / (n - 1);
    }
    case "z-score": {
      const mean = parameters[`${benchmark} mean`] ?? 0;
      const deviation = parameters[`${benchmark} deviation`] ?? 1;
      return (y) => mean + y * deviation;
    }
    case "clip":
      return (y) => y;
  }
}
