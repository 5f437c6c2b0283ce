// Holm's correction (1979), weighted: the chance of one false statement or more among all that a study tests is at most
// the level. Statements of more weight are corrected less.

/** Corrected p-values, in the order given. Weights are positive; equal ones give Holm's own procedure. */
export function holm(p: readonly number[], weights: readonly number[] = p.map(() => 1)): number[] {
  const order = p.map((_, k) => k).sort((a, b) => p[a]! / weights[a]! - p[b]! / weights[b]!);
  const out = new Array<number>(p.length);
  let left = weights.reduce((sum, w) => sum + w, 0);
  let largest = 0;
  for (const k of order) {
    largest = Math.max(largest, Math.min(1, (p[k]! * left) / weights[k]!));
    out[k] = largest;
    left -= weights[k]!;
  }
  return out;
}
