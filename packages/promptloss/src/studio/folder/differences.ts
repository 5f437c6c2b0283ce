// In which settings runs differ: the keys of their recipes that are not the same in all.
import { join } from "node:path";
import { readJson } from "../../files/atomic.ts";
import { jsonLeaves } from "../../training/differences.ts";
import type { Manifest } from "../../training/manifest.ts";
import type { RunDifferences } from "../api.ts";
import type { RunPlace } from "./scan.ts";

/** Where runs lie always differs. */
const PLACES: ReadonlySet<string> = new Set(["output"]);

export function differencesAmong(places: readonly RunPlace[]): RunDifferences {
  const runs = places.map(({ id, path }) => {
    const recipe = readJson<Manifest>(join(path, "manifest.json"))?.recipe ?? {};
    return { id, leaves: jsonLeaves(recipe) };
  });
  const all = new Set(runs.flatMap(({ leaves }) => [...leaves.keys()]));
  const keys = [...all].filter(
    (key) => !PLACES.has(key) && new Set(runs.map(({ leaves }) => leaves.get(key))).size > 1,
  );
  return {
    keys,
    runs: Object.fromEntries(runs.map(({ id, leaves }) => [id, keys.map((key) => leaves.get(key) ?? null)])),
  };
}
