// Exponential moving averages, without the pull towards zero at their beginning.

/**
 * @param weight of what was before, from 0 (nothing changes) to below 1
 * @returns null where the value is
 */
export function smoothed(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values];
  let sum = 0;
  let share = 0;
  return values.map((value) => {
    if (value === null) return null;
    sum = weight * sum + (1 - weight) * value;
    share = weight * share + (1 - weight);
    return sum / share;
  });
}
