// What the schema can't see of a study file: factors that clash, pairs that don't fit, exclusions that exclude nothing,
// tasks that don't exist. Pure.
import { closest } from "fastest-levenshtein";
import type { RecipeProblem } from "../../recipe/index.ts";
import { RESERVED_COLUMNS } from "../results/result-row.ts";
import { isNamed } from "./combinations.ts";
import type { Factor } from "./factors.ts";
import type { StudySettings } from "./schema.ts";

export type Problem = Omit<RecipeProblem, "line" | "path"> & { readonly path: readonly PropertyKey[] };

export function factorProblems(factors: readonly Factor[]): Problem[] {
  return factors.flatMap(({ name, written, levels }, i) => {
    const path = ["factors", written];
    const found: Problem[] = [];
    const other = factors.findIndex((factor) => factor.name === name);
    if (other < i)
      found.push({
        path,
        message: `its column would be called ${name}, as that of ${factors[other]!.written} is`,
      });
    if (RESERVED_COLUMNS.has(name) && name !== "plw")
      found.push({
        path,
        message: `${name} is a column of the results already; call the factor something else`,
      });
    const labels = levels.map(({ label }) => label);
    const twice = levels.find(({ label }, at) => labels.indexOf(label) < at);
    if (twice !== undefined) found.push({ path: twice.path, message: `there are two levels ${twice.label}` });
    for (const before of factors.slice(0, i)) {
      const key = keysOf(factors[i]!).find((each) => keysOf(before).some((other) => overlap(each, other)));
      if (key !== undefined) found.push({ path, message: `${before.written} sets ${key} too` });
    }
    return found;
  });
}

function keysOf({ levels }: Factor): string[] {
  return [...new Set(levels.flatMap(({ set }) => Object.keys(set)))];
}

function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}.`) || b.startsWith(`${a}.`);
}

export function pairProblems(factors: readonly Factor[], { paired }: StudySettings): Problem[] {
  return paired.flatMap((names, i) => {
    const unknown = names.flatMap((name, j) => unknownFactor(factors, name, ["paired", i, j]));
    if (unknown.length > 0) return unknown;
    const members = names.map((name) => factors.find((factor) => isNamed(factor, name))!);
    const counts = members.map(({ name, levels }) => `${name} has ${levels.length}`);
    if (new Set(members.map(({ levels }) => levels.length)).size > 1)
      return [
        { path: ["paired", i], message: `paired factors need as many levels each: ${counts.join(", ")}` },
      ];
    const again = members.find((factor) =>
      paired.slice(0, i).some((before) => before.some((name) => isNamed(factor, name))),
    );
    return again === undefined ? [] : [{ path: ["paired", i], message: `${again.name} is paired already` }];
  });
}

export function exclusionProblems(factors: readonly Factor[], settings: StudySettings): Problem[] {
  return (["exclude", "only"] as const).flatMap((key) => ruleProblems(factors, key, settings[key]));
}

function ruleProblems(
  factors: readonly Factor[],
  key: "exclude" | "only",
  rules: StudySettings["exclude"],
): Problem[] {
  return rules.flatMap((rule, i) =>
    Object.entries(rule).flatMap(([name, wanted]) => {
      const path = [key, i, name];
      const factor = factors.find((each) => isNamed(each, name));
      if (factor === undefined) return unknownFactor(factors, name, path);
      const labels = factor.levels.map(({ label }) => label);
      const missing = [wanted].flat().find((label) => !labels.includes(label));
      return missing === undefined
        ? []
        : [{ path, message: `${name} has no level ${missing}; there are ${labels.join(", ")}` }];
    }),
  );
}

function unknownFactor(factors: readonly Factor[], name: string, path: readonly PropertyKey[]): Problem[] {
  if (factors.some((factor) => isNamed(factor, name))) return [];
  const guess = closest(
    name,
    factors.map((factor) => factor.name),
  );
  return [{ path, message: `there is no factor ${name}; did you mean ${guess}?` }];
}
