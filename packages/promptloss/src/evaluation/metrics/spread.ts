// Means, and how sure they are.
import { PythonRandom } from "../requests/python-random.ts";

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The sample's standard deviation; undefined of fewer than two values. */
export function sampleDeviation(values: readonly number[]): number | undefined {
  if (values.length < 2) return undefined;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** Of the mean. */
export function standardError(values: readonly number[]): number | undefined {
  const deviation = sampleDeviation(values);
  return deviation === undefined ? undefined : deviation / Math.sqrt(values.length);
}

/** Resamples that lm-evaluation-harness takes of a corpus' score. */
const RESAMPLES = 100;

/**
 * The standard error of a score of all items, from resamples drawn as lm-evaluation-harness draws them.
 * @param scoreOf places of items, with repetition → score
 */
export function bootstrapStandardError(
  items: number,
  scoreOf: (places: readonly number[]) => number,
): number | undefined {
  if (items < 2) return undefined;
  const generator = new PythonRandom(0);
  return sampleDeviation(Array.from({ length: RESAMPLES }, () => scoreOf(generator.choices(items, items))));
}
