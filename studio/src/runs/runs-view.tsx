import { lazy } from "../shell/lazy.tsx";
import type { ViewProps } from "../views.ts";
import { RunList } from "./run-list.tsx";

/** Charts come with the first run that is opened. */
const RunPage = lazy(async () => (await import("./run-page.tsx")).RunPage);

/** `#/runs`: all runs; `#/runs/ID`: one. */
export function RunsView({ path: [id] }: ViewProps) {
  return id === undefined ? <RunList /> : <RunPage key={id} id={id} />;
}
