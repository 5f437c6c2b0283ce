// Buckets of distances, against transformers' T5Attention._relative_position_bucket (5.18.0), which
// test/python/relative_buckets.py prints.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { relativeBucket } from "./relative-positions.ts";

interface Golden {
  buckets: number;
  maxDistance: number;
  bidirectional: boolean;
  first: number;
  /** [bucket, distances in a row that have it]. */
  runs: [number, number][];
}

const goldens: Golden[] = JSON.parse(
  readFileSync(new URL("../../../test/goldens/relative-buckets.json", import.meta.url), "utf8"),
);

test.each(goldens)("$buckets buckets up to $maxDistance, bidirectional $bidirectional", (golden) => {
  const { first, runs, ...plan } = golden;
  const expected = runs.flatMap(([bucket, count]) => new Array<number>(count).fill(bucket));
  expect(expected.map((_, i) => relativeBucket(first + i, plan))).toEqual(expected);
});
