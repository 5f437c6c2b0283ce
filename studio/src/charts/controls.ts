// How series are drawn, as the address says it, so that a link shows what its sender saw.
import { computed } from "@preact/signals";
import type { SeriesColumn } from "promptloss/studio";
import { count, duration } from "../format.ts";
import { route, setQuery } from "../shell/router.ts";
import { parseRange, type Range, rangeText } from "./range.ts";

export type XAxis = "step" | "seconds";

export const X_AXES: Readonly<
  Record<
    XAxis,
    { readonly column: SeriesColumn; readonly name: string; readonly text: (x: number) => string }
  >
> = {
  step: { column: "step", name: "step", text: (x) => count(Math.round(x)) },
  seconds: { column: "seconds", name: "time", text: duration },
};

export interface ChartControls {
  readonly smoothing: number;
  readonly logarithmic: boolean;
  readonly x: XAxis;
  readonly range: Range | undefined;
}

export const controls = computed((): ChartControls => {
  const { query } = route.value;
  const smoothing = Number(query.get("smooth") ?? 0);
  return {
    smoothing: smoothing > 0 && smoothing < 1 ? smoothing : 0,
    logarithmic: query.get("log") === "1",
    x: query.get("x") === "seconds" ? "seconds" : "step",
    range: parseRange(query.get("range") ?? ""),
  };
});

export function setControls(change: Partial<ChartControls>): void {
  const { smoothing, logarithmic, x } = change;
  setQuery({
    ...(smoothing !== undefined && { smooth: smoothing === 0 ? undefined : String(smoothing) }),
    ...(logarithmic !== undefined && { log: logarithmic ? "1" : undefined }),
    // A range is of one axis.
    ...(x !== undefined && { x: x === "step" ? undefined : x, range: undefined }),
    ...("range" in change && { range: change.range && rangeText(change.range) }),
  });
}
