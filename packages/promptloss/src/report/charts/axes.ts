// The axes of charts against w_p: w_p with the prompt loss weight written below it, and a value axis named at its top.
import { plwOfWp } from "../../statistics/index.ts";
import { trimmed } from "../../statistics/numbers.ts";
import { fitted, tick } from "./labels.ts";
import { colors } from "./palette.ts";

const label = { color: colors.muted, fontSize: 11 };

/** @param tried w_p of the weights that were tried: where the ticks stand */
export function wpAxis(tried?: readonly number[]) {
  return {
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
    axisTick: { lineStyle: { color: colors.line }, ...(tried && { customValues: [...tried] }) },
    splitLine: { show: false },
  };
}

/** The prompt loss weight itself, spaced by w_p: a label at each weight that was tried, where there is room for it. */
export function triedAxis(tried: readonly number[], width: number) {
  const room = 46 / width;
  // The ends first: they are the weights that all else is compared with.
  const labeled = [tried[0]!, tried.at(-1)!];
  for (const wp of tried) if (labeled.every((other) => Math.abs(other - wp) >= room)) labeled.push(wp);
  return {
    ...wpAxis(tried),
    name: "prompt loss weight (spaced by w_p); ticks are the weights that were tried",
    nameGap: 30,
    axisLabel: {
      ...label,
      customValues: labeled,
      formatter: (wp: number) => trimmed(plwOfWp(wp), 3),
    },
  };
}

/** @param range fixed ends, for values that have bounds of their own */
export function valueAxis(name: string, range?: readonly [number, number]) {
  return {
    type: "value" as const,
    scale: true,
    ...(range && { min: range[0], max: range[1], interval: (range[1] - range[0]) / 4 }),
    splitNumber: 4,
    name: fitted(name, 340),
    nameLocation: "end" as const,
    nameGap: 12,
    nameTextStyle: { ...label, align: "left" as const, padding: [0, 0, 0, -48] },
    axisLabel: { ...label, formatter: tick },
    axisLine: { show: false, onZero: false },
    axisTick: { show: false },
    splitLine: { lineStyle: { color: colors.grid } },
  };
}

/** Room for the labels of both axes. */
export const GRID = { left: 56, right: 16, top: 32, bottom: 56 } as const;

/** The prompt loss weight up the side, spaced by w_p. */
export function weightAxis() {
  return {
    ...valueAxis("best prompt loss weight", [0, 1]),
    axisLabel: { ...label, formatter: (wp: number) => trimmed(plwOfWp(wp), 2) },
  };
}

/** Generation ratios, as their logarithm to base 2. */
export function ratioAxis(ratios: readonly number[]) {
  const logs = ratios.map(Math.log2);
  const [low, high] = [Math.floor(Math.min(...logs) - 0.1), Math.ceil(Math.max(...logs) + 0.1)];
  return {
    ...wpAxis(),
    ...{ min: low, max: high, interval: Math.ceil((high - low) / 8), nameGap: 28 },
    name: "generation ratio Rg of the training data",
    axisLabel: { ...label, formatter: (log: number) => (log < 0 ? `1/${2 ** -log}` : `${2 ** log}`) },
  };
}
