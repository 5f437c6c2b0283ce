// How a run is drawn among others: a color and a dash of its own, or the color of its prompt loss weight.
import type { RunCard } from "promptloss/studio";
import { colors, scaleColor, seriesColor } from "../charts/colors.ts";

export type ColorBy = "run" | "weight";

export interface Look {
  readonly color: string;
  readonly dashed: boolean;
}

/** By id. Runs of one weight look alike where colors are of weights. */
export function looksOf(runs: readonly RunCard[], by: ColorBy): ReadonlyMap<string, Look> {
  if (by === "run") {
    const hues = colors.value.series.length;
    return new Map(
      runs.map(({ id }, i) => [id, { color: seriesColor(i), dashed: Math.floor(i / hues) % 2 === 1 }]),
    );
  }
  const weights = weightsOf(runs);
  return new Map(
    runs.map(({ id, promptLossWeight }) => {
      const place = weights.indexOf(promptLossWeight);
      return [
        id,
        { color: scaleColor(weights.length < 2 ? 1 : place / (weights.length - 1)), dashed: false },
      ];
    }),
  );
}

/** The prompt loss weights of runs, from the lowest. */
export function weightsOf(runs: readonly RunCard[]): number[] {
  return [...new Set(runs.map(({ promptLossWeight }) => promptLossWeight))].sort((a, b) => a - b);
}
