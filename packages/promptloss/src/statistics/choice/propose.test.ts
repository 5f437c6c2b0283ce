import { expect, test } from "vitest";
import type { Observation } from "./observations.ts";
import { priorFor } from "./prior.ts";
import { designPoints, propose, type SearchSpace } from "./propose.ts";

const space: SearchSpace = {
  wps: [0, 0.25, 0.5, 0.75, 1],
  logRates: [-4, -3],
  center: { wp: 0.5, logRate: -4 },
};
const options = { prior: priorFor({ generationRatio: 0.3 }), draws: 200 };

function placeOf({ wp, logRate }: { wp: number; logRate?: number | undefined }): string {
  return `${wp} ${logRate}`;
}

test("the design is the center, both ends, the center again and the other learning rate", () => {
  expect(designPoints(space).map(placeOf)).toEqual(["0.5 -4", "0 -4", "1 -4", "0.5 -4", "0.5 -3"]);
});

test("while all runs have one score it goes on to places that are untried, without a gain; then to those of fewest runs", () => {
  const runs: Observation[] = [];
  for (let k = 0; k < 14; k++) {
    const [next] = propose(space, runs, 1, options);
    expect(next!.gain).toBeUndefined();
    runs.push({ ...next!.point, score: 0.5 });
  }
  // Five of the design at four places, six more, then a second run of those with one.
  const places = runs.map(placeOf);
  expect(new Set(places.slice(0, 11)).size).toBe(10);
  expect(new Set(places.slice(11)).size).toBe(3);
  expect(places.slice(11)).not.toContain("0.5 -4");
});

test("a batch of them has as many places", () => {
  const runs = designPoints(space).map((point) => ({ ...point, score: 0.5 }));
  const batch = propose(space, runs, 3, options);
  expect(new Set(batch.map(({ point }) => placeOf(point))).size).toBe(3);
  expect(batch.every(({ gain }) => gain === undefined)).toBe(true);
});

test("scores that differ bring a gain", () => {
  const runs = designPoints(space).map((point, i) => ({ ...point, score: 0.5 + i / 100 }));
  expect(propose(space, runs, 1, options)[0]!.gain).toBeGreaterThanOrEqual(0);
});
