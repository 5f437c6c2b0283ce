// The axes of charts against w_p: w_p with the prompt loss weight written below it, and a value axis named at its top.
import { plwOfWp } from "../../statistics/index.ts";
import { trimmed } from "../../statistics/report/numbers.ts";
import { fitted, tick } from "./labels.ts";
import { colors } from "./palette.ts";

const label = { color: colors.muted, fontSize: 11 };

export const wpAxis = () => ({
  type: "value" as const,
  min: 0,
  max: 1,
  interval: 0.25,
  name: "w_p, and below it the prompt loss weight",
  nameLocation: "middle" as const,
  nameGap: 38,
  nameTextStyle: label,
  axisLabel: { ...label, formatter: (wp: number) => `${wp}\n${trimmed(plwOfWp(wp), 2)}` },
  axisLine: { onZero: false, lineStyle: { color: colors.line } },
  axisTick: { lineStyle: { color: colors.line } },
  splitLine: { show: false },
});

/** @param range fixed ends, for values that have bounds of their own */
export const valueAxis = (name: string, range?: readonly [number, number]) => ({
  type: "value" as const,
  scale: true,
  ...(range && { min: range[0], max: range[1], interval: (range[1] - range[0]) / 4 }),
  splitNumber: 4,
  name: fitted(name, 340),
  nameLocation: "end" as const,
  nameGap: 12,
  nameTextStyle: { ...label, align: "left" as const, padding: [0, 0, 0, -48] },
  axisLabel: { ...label, formatter: tick },
  axisLine: { show: false },
  axisTick: { show: false },
  splitLine: { lineStyle: { color: colors.grid } },
});

/** Room for the labels of both axes. */
export const GRID = { left: 56, right: 16, top: 32, bottom: 56 } as const;
