// The address at hand, as a signal.
import { signal } from "@preact/signals";
import { hrefOf, parseRoute } from "./route.ts";

export const route = signal(parseRoute(location.hash));

addEventListener("hashchange", () => {
  route.value = parseRoute(location.hash);
});

/** Changes the query of the address in place: no step of the browser's history for each move of a slider. */
export function setQuery(change: Readonly<Record<string, string | undefined>>): void {
  const { view, path, query } = route.peek();
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(change))
    if (value === undefined) next.delete(name);
    else next.set(name, value);
  history.replaceState(null, "", hrefOf(view, path, Object.fromEntries(next)));
  route.value = parseRoute(location.hash);
}
