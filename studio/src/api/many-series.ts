// The series of several runs, as they grow.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { SeriesChange } from "promptloss/studio";
import { useLive } from "./live.ts";
import { changedSeries, EMPTY_SERIES, type Series } from "./series.ts";

/** Points of a line: fewer where lines are many, so that a chart of a hundred is drawn at once. */
const POINTS = { few: 1000, many: 300 };
const MANY = 8;

/** Milliseconds between two drawings, and how many times as long as a drawing takes: the page stays at hand. */
const PACE = { least: 300, times: 4 };

/** By run, in no order; a run without a message yet is not there. */
export function useManySeries(ids: readonly string[]): Signal<ReadonlyMap<string, Series>> {
  const shown = useSignal<ReadonlyMap<string, Series>>(new Map());
  const current = useRef(new Map<string, Series>());
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const took = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);
  const draw = (): void => {
    timer.current = undefined;
    const before = performance.now();
    shown.value = new Map(current.current);
    requestAnimationFrame(() => {
      took.current = performance.now() - before;
    });
  };
  useLive(
    ids.map((id) => `series:${id}`),
    ({ topic, value }) => {
      const id = topic.slice("series:".length);
      if (value !== undefined)
        current.current.set(
          id,
          changedSeries(current.current.get(id) ?? EMPTY_SERIES, value as SeriesChange),
        );
      timer.current ??= setTimeout(draw, Math.max(PACE.least, PACE.times * took.current));
    },
    { points: ids.length > MANY ? POINTS.many : POINTS.few },
  );
  return shown;
}
