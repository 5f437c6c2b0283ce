// What the page asks the server for, below `/studio/api/`.
import type { Hono } from "hono";
import type { AppContext } from "../serve/index.ts";
import type { StudioFolder } from "./folder/studio-folder.ts";
import { liveStream, type Topics } from "./live.ts";
import { pageRoutes } from "./page.ts";
import { runRoutes, runTopics } from "./runs.ts";
import { studyRoutes, studyTopics } from "./studies.ts";
import { weightsRoutes } from "./weights/routes.ts";

export interface StudioContext extends AppContext {
  readonly folder: StudioFolder;
}

/** A part of the studio: what it serves below `/studio/api/`, and which topics of the live stream it has. */
export interface StudioPart {
  readonly topics?: (context: StudioContext) => Topics;
  readonly routes?: (app: Hono, context: StudioContext) => void;
}

/** One for each view of the page. */
const PARTS: readonly StudioPart[] = [
  { topics: runTopics, routes: runRoutes },
  { topics: studyTopics, routes: studyRoutes },
  { routes: weightsRoutes },
];

export function studioRoutes(app: Hono, context: StudioContext): void {
  const topics: Topics = Object.assign({}, ...PARTS.map((part) => part.topics?.(context) ?? {}));
  app.get("/studio/api/live", (c) => liveStream(c, topics));
  for (const { routes } of PARTS) routes?.(app, context);
  pageRoutes(app);
}
