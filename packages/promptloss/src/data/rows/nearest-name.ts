// The name that was probably meant, for hints.
import { distance } from "fastest-levenshtein";

/** The name nearest to `name`, if any is near enough to be a slip. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  // A third of the letters wrong is a slip; more is another word.
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const away = distance(name.toLowerCase(), candidate.toLowerCase());
    if (away < bestDistance) [best, bestDistance] = [candidate, away];
  }
  return best;
}

/** Names that a message lists. */
const LISTED = 20;

/** Some names as a message lists them. */
export function nameList(names: Iterable<string>): string {
  const all = [...names];
  const rest = all.length - LISTED;
  const shown = all.slice(0, LISTED).join(", ");
  return all.length === 0 ? "none" : rest > 0 ? `${shown}, and ${rest} more` : shown;
}
