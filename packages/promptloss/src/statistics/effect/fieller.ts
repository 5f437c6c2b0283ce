// Fieller's interval (1954) for where a fitted line in x is 0, as the slope of a quadratic is at its vertex. It is exact
// with Student's t where the delta method, which treats the quotient as normal, covers too little.

/**
 * All x with (a + b x)² ≤ t² Var(a + b x): an interval where b is known not to be 0; else unbounded, given as the whole
 * line even where a piece in the middle is excluded.
 */
export function fiellerInterval(
  a: number,
  b: number,
  aa: number,
  ab: number,
  bb: number,
  t2: number,
): { lower: number; upper: number } {
  const square = b * b - t2 * bb;
  const middle = a * b - t2 * ab;
  const constant = a * a - t2 * aa;
  const discriminant = middle * middle - square * constant;
  if (!(square > 0) || !(discriminant >= 0))
    return { lower: Number.NEGATIVE_INFINITY, upper: Number.POSITIVE_INFINITY };
  const root = Math.sqrt(discriminant);
  return { lower: (-middle - root) / square, upper: (-middle + root) / square };
}
