// The views of the studio. To add one, add a line here: its name is its address (`#/runs`), its title stands in the
// navigation, and its module is loaded when it is first opened.
import type { FunctionComponent } from "preact";
import { lazy } from "./shell/lazy.tsx";

export interface ViewProps {
  /** What stands behind the view's name in the address: `#/runs/1a2b` has `["1a2b"]`. */
  readonly path: readonly string[];
}

export interface View {
  readonly name: string;
  readonly title: string;
  readonly Component: FunctionComponent<ViewProps>;
}

export const VIEWS: readonly View[] = [
  view("runs", "Runs", async () => (await import("./runs/runs-view.tsx")).RunsView),
  view("compare", "Compare", async () => (await import("./compare/compare-view.tsx")).CompareView),
  view("studies", "Studies", async () => (await import("./studies/studies-view.tsx")).StudiesView),
  view("weights", "Weights", async () => (await import("./weights/weights-view.tsx")).WeightsView),
  view("chat", "Chat", async () => (await import("./chat/chat-view.tsx")).ChatView),
];

function view(name: string, title: string, load: () => Promise<FunctionComponent<ViewProps>>): View {
  return { name, title, Component: lazy(load) };
}
