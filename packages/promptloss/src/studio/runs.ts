// Topics of runs: the list of all, one with its facts, and its metrics as they grow.
import { join } from "node:path";
import { readRunDetail } from "./folder/run.ts";
import { RunSeries } from "./folder/run-series.ts";
import { type Topics, whenChanged } from "./live.ts";
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
