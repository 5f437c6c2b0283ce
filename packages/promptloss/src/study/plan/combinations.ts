// The combinations of levels that a study is made of: factors crossed, paired ones one by one, some left out. Pure.
import type { FactorValue } from "../results/result-row.ts";
import type { Factor, Level } from "./factors.ts";
import type { StudySettings } from "./schema.ts";

/** One level of every factor, in the factors' order. */
export type Combination = readonly { readonly factor: Factor; readonly level: Level }[];

/** The most cells that a study may have. */
export const MOST_CELLS = 10_000;

/**
 * Why the factors make too many combinations, before any is made and before exclusions; undefined where they do not.
 */
export function tooMany(
  factors: readonly Factor[],
  { paired }: Pick<StudySettings, "paired">,
): string | undefined {
  const sizes = groupsOf(factors, paired).map(([first]) => first!.levels.length);
  const count = sizes.reduce((product, size) => product * size, 1);
  if (count <= MOST_CELLS) return undefined;
  return `make ${sizes.join(" × ")} = ${count.toLocaleString("en-US")} combinations, and a study has at most ${MOST_CELLS.toLocaleString("en-US")} cells; split it, or pair factors`;
}

/** Combinations in the order of writing: the last factor changes fastest. */
export function combinationsOf(
  factors: readonly Factor[],
  { paired, exclude, only }: Pick<StudySettings, "paired" | "exclude" | "only">,
): Combination[] {
  const groups = groupsOf(factors, paired);
  let combinations: Combination[] = [[]];
  for (const group of groups) {
    const together = group[0]!.levels.map((_, i) =>
      group.map((factor) => ({ factor, level: factor.levels[i]! })),
    );
    combinations = combinations.flatMap((before) => together.map((each) => [...before, ...each]));
  }
  const order = new Map(factors.map((factor, i) => [factor, i]));
  return combinations
    .map((each) => [...each].sort((a, b) => order.get(a.factor)! - order.get(b.factor)!))
    .filter((each) => only.length === 0 || only.some((rule) => matches(each, rule)))
    .filter((each) => !exclude.some((rule) => matches(each, rule)));
}

function groupsOf(factors: readonly Factor[], paired: StudySettings["paired"]): Factor[][] {
  const pairOf = (factor: Factor): readonly string[] | undefined =>
    paired.find((names) => names.some((name) => isNamed(factor, name)));
  const groups: Factor[][] = [];
  const taken = new Set<Factor>();
  for (const factor of factors) {
    if (taken.has(factor)) continue;
    const names = pairOf(factor);
    const group =
      names === undefined ? [factor] : factors.filter((each) => names.some((name) => isNamed(each, name)));
    for (const each of group) taken.add(each);
    groups.push(group);
  }
  return groups;
}

/** By its column or as the file writes it. */
export function isNamed({ name, written }: Factor, wanted: string): boolean {
  return name === wanted || written === wanted;
}

function matches(
  combination: Combination,
  rule: Readonly<Record<string, FactorValue | readonly FactorValue[]>>,
): boolean {
  return Object.entries(rule).every(([name, labels]) => {
    const found = combination.find(({ factor }) => isNamed(factor, name));
    return found !== undefined && [labels].flat().some((label) => label === found.level.label);
  });
}
