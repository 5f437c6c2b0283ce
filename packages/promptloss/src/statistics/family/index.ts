// The response distributions by name.
import { StatisticsError } from "../errors.ts";
import { beta } from "./beta.ts";
import type { Family, FamilyName } from "./family.ts";
import { gaussian } from "./gaussian.ts";

const families: Record<FamilyName, Family> = { beta, gaussian };

export const familyNames = Object.keys(families) as FamilyName[];

/** The family called `name`. @throws {StatisticsError} for another name */
export function familyNamed(name: string): Family {
  const family = Object.hasOwn(families, name) ? families[name as FamilyName] : undefined;
  if (family !== undefined) return family;
  throw new StatisticsError(`unknown family ${JSON.stringify(name)}`, {
    hint: `use ${familyNames.join(" or ")}`,
  });
}
