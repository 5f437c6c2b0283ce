// The analysis variable of the paper (§ Definitions): w_p = PLW^0.30103, so that PLW 0.1 becomes 0.5.

const exponent = 0.30103;

/**
 * w_p of a prompt loss weight in [0, 1].
 * @example
 * ```ts
 * import { wpOfPlw } from "promptloss";
 *
 * console.log(wpOfPlw(0.1).toFixed(2)); // 0.50
 * ```
 */
export function wpOfPlw(plw: number): number {
  return plw ** exponent;
}

/** The prompt loss weight of a w_p in [0, 1]. */
export function plwOfWp(wp: number): number {
  return wp ** (1 / exponent);
}
