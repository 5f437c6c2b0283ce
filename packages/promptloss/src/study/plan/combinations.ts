// The combinations of levels that a study is made of: factors crossed, paired ones one by one, some left out. Pure.
import type { FactorValue } from "../results/result-row.ts";
import type { Factor, Level } from "./factors.ts";
import type { StudySettings } from "./schema.ts";

/** One level of every factor, in the factors' order. */
export type Combination = readonly { readonly factor: Factor; readonly level: Level }[];

/** Combinations in the order of writing: the last factor changes fastest. */
export const combinationsOf = (
  factors: readonly Factor[],
  { paired, exclude }: Pick<StudySettings, "paired" | "exclude">,
): Combination[] => {
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
    .filter((each) => !exclude.some((rule) => matches(each, rule)));
};

const groupsOf = (factors: readonly Factor[], paired: StudySettings["paired"]): Factor[][] => {
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
};

/** By its column or as the file writes it. */
export const isNamed = ({ name, written }: Factor, wanted: string): boolean =>
  name === wanted || written === wanted;

const matches = (
  combination: Combination,
  rule: Readonly<Record<string, FactorValue | readonly FactorValue[]>>,
): boolean =>
  Object.entries(rule).every(([name, labels]) => {
    const found = combination.find(({ factor }) => isNamed(factor, name));
    return found !== undefined && [labels].flat().some((label) => label === found.level.label);
  });
