// Rules over several keys of a section.
import type { z } from "zod";

/** Of two keys that say the same thing only one may be there; the problem is put at the second. */
export function atMostOne<K extends string>(first: K, second: K) {
  return (section: Readonly<Partial<Record<K, unknown>>>, context: z.RefinementCtx): void => {
    if (section[first] === undefined || section[second] === undefined) return;
    context.addIssue({
      code: "custom",
      path: [second],
      message: `${first} says it already; leave one of the two out`,
    });
  };
}
