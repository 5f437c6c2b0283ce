// Studies: how far each cell is, and what their results say.
import type { Hono } from "hono";
import { ServeError } from "../serve/errors.ts";
import { Analyses } from "./analysis/analysis.ts";
import type { StudyAnalysis } from "./api.ts";
import type { StudyPlace } from "./folder/scan.ts";
import { type Topics, whenChanged } from "./live.ts";
import type { StudioContext } from "./routes.ts";

export function studyTopics({ folder }: StudioContext): Topics {
  return {
    study: {
      every: 1000,
      open: (id) => {
        const place = folder.study(id);
        return place && whenChanged(() => folder.reader(place).detail());
      },
    },
  };
}

export function studyRoutes(app: Hono, { folder }: StudioContext): void {
  const analyses = new Analyses();
  const found = (id: string): StudyPlace => {
    const place = folder.study(id);
    if (place === undefined)
      throw new ServeError(404, `there is no study ${id} here`, { code: "study_not_found" });
    return place;
  };
  app.get("/studio/api/studies/:id/analysis", async (c) => {
    const { results, verdict, scores } = await analyses.of(found(c.req.param("id")));
    return c.json({ results, verdict, scores } satisfies StudyAnalysis);
  });
  app.get("/studio/api/studies/:id/report", async (c) => {
    const { page } = await analyses.of(found(c.req.param("id")));
    return c.html(page, 200, { "Content-Security-Policy": "sandbox allow-scripts allow-downloads" });
  });
}
