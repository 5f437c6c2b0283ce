// Which runs are compared, as the address says it: `#/compare?runs=ID,ID`.
import type { RunCard } from "promptloss/studio";
import { hrefOf } from "../shell/route.ts";
import { setQuery } from "../shell/router.ts";

/** Runs of a comparison that names none: the newest. */
const USUAL = 6;

/** As many as one stream of events has topics for. */
export const MOST = 100;

/** In the list's order. */
export function chosenRuns(runs: readonly RunCard[], query: URLSearchParams): RunCard[] {
  const asked = query.get("runs");
  if (asked === null) return runs.slice(0, USUAL);
  const ids = new Set(asked.split(","));
  return runs.filter(({ id }) => ids.has(id)).slice(0, MOST);
}

export function choose(ids: readonly string[]): void {
  setQuery({ runs: ids.join(",") });
}

export function compareHref(ids: readonly string[]): string {
  return hrefOf("compare", [], { runs: ids.join(",") });
}
