// Addresses are fragments, `#/runs/1a2b?smooth=0.5`: the server has one page, and a link to a view can be shared.
export interface Route {
  readonly view: string;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** "#/runs/1a2b?x=1" → view, the rest of the path, query. */
export function parseRoute(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#\/?/, "").split("?");
  const [view = "", ...rest] = path.split("/").map(decoded);
  return { view, path: rest.filter((part) => part !== ""), query: new URLSearchParams(query) };
}

export function hrefOf(
  view: string,
  path: readonly string[] = [],
  query: Record<string, string> = {},
): string {
  const search = new URLSearchParams(query).toString();
  return `#/${[view, ...path].map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
