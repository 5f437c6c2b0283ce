// A finding as plain text: the verdict, the table of means with differences from both ends, and the noise.

import { textTable } from "../../terminal/text-table.ts";
import { pValue, short, trimmed } from "../numbers.ts";
import type { WeightFinding } from "./weight-finding.ts";

/** Lines joined by newlines, none at the end. */
export function renderFinding(finding: WeightFinding): string {
  const { verdict, means, contrasts, evidence, level } = finding;
  const [first, last] = [means[0]!.plw, means.at(-1)!.plw];
  const against = (plw: number, versus: number): string => {
    const found = contrasts.find((contrast) => contrast.plw === plw && contrast.versus === versus);
    if (found === undefined) return "";
    return `${short(found.difference, 3)} (${short(found.lower, 3)} to ${short(found.upper, 3)}), p ${pValue(found.p)}`;
  };
  const pairs = contrasts.some(({ versus }) => versus === last) && last !== first;
  const rows = means.map(({ plw, cells, mean }) => [
    trimmed(plw, 4),
    String(cells),
    short(mean, 3),
    against(plw, first),
    ...(pairs ? [against(plw, last)] : []),
  ]);
  const header = [
    "PLW",
    "cells",
    "mean",
    `less that of ${trimmed(first, 4)}`,
    ...(pairs ? [`less that of ${trimmed(last, 4)}`] : []),
  ];
  const alignments = header.map(() => "right" as const);
  const { run, residual, curves } = evidence.deviations;
  return [
    `${verdict.charAt(0).toUpperCase()}${verdict.slice(1)}`,
    ...textTable([header, ...rows], alignments),
    `in deviations of a task's scores within blocks; ${trimmed(100 * level, 6)} % intervals and p corrected for all ` +
      `differences of the table, ${evidence.residualDf} residual degrees of freedom (${evidence.noiseFrom})`,
    ...(curves === undefined
      ? []
      : [
          `deviations: runs ${short(run, 3)}, rest ${short(residual ?? Number.NaN, 3)}, tasks' own curves ` +
            curves.map((x) => short(x, 3)).join(" and "),
        ]),
  ].join("\n");
}
