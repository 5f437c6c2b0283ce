// Runs: the list of all, one with its facts, its metrics as they grow, and in what several differ.
import { join } from "node:path";
import type { Hono } from "hono";
import { ServeError } from "../serve/errors.ts";
import { differencesAmong } from "./folder/differences.ts";
import { readGenerations } from "./folder/generations.ts";
import { readRunDetail } from "./folder/run.ts";
import { RunSeries } from "./folder/run-series.ts";
import { MOST_TOPICS, type Topics, whenChanged } from "./live.ts";
import type { StudioContext } from "./routes.ts";

export function runTopics({ folder }: StudioContext): Topics {
  return {
    overview: { every: 2000, open: () => whenChanged(() => folder.overview()) },
    run: {
      every: 1000,
      open: (id) => {
        const place = folder.run(id);
        return place && whenChanged(() => readRunDetail(place));
      },
    },
    series: {
      every: 500,
      open: (id, { points }) => {
        const place = folder.run(id);
        if (place === undefined) return undefined;
        const series = new RunSeries(join(place.path, "metrics.jsonl"), points);
        return () => series.poll();
      },
    },
  };
}

export function runRoutes(app: Hono, { folder }: StudioContext): void {
  app.get("/studio/api/differences", (c) => {
    const places = (c.req.queries("run") ?? []).slice(0, MOST_TOPICS).flatMap((id) => folder.run(id) ?? []);
    return c.json(differencesAmong(places));
  });
  app.get("/studio/api/runs/:id/generations", (c) => {
    const place = folder.run(c.req.param("id"));
    const found = place && readGenerations(place, c.req.query("set") ?? "");
    if (found === undefined)
      throw new ServeError(404, "there are no such generations", { code: "generations_not_found" });
    return c.json(found);
  });
}
