import { lazy } from "../shell/lazy.tsx";
import type { ViewProps } from "../views.ts";
import { RunList } from "./run-list.tsx";

/** Charts come with the first run that is opened. */
const RunPage = lazy(async () => (await import("./run-page.tsx")).RunPage);
const GenerationsPage = lazy(async () => (await import("./generations-page.tsx")).GenerationsPage);

/** `#/runs`: all runs; `#/runs/ID`: one; `#/runs/ID/generations`: what its model said before and after. */
export function RunsView({ path: [id, part] }: ViewProps) {
  if (id === undefined) return <RunList />;
  return part === "generations" ? <GenerationsPage key={id} id={id} /> : <RunPage key={id} id={id} />;
}
