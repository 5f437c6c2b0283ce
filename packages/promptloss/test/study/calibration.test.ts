// The short form of `npm run bench:calibration`: the same simulated studies through the same code, fewer of them, seeded.
import { expect, test } from "vitest";
import { samplingTally } from "../../../../bench/src/calibration/sampling.ts";
import { aims } from "../../../../bench/src/calibration/table.ts";
import { share, tally } from "../../../../bench/src/calibration/tally.ts";
import { DESIGNS, type Design, TRUTHS } from "../../../../bench/src/calibration/truths.ts";

const STUDIES = 60;
const [, , fiveByTwo, tenByOne, tenByTwo] = DESIGNS as readonly Design[] as [
  Design,
  Design,
  Design,
  Design,
  Design,
];
function truth(name: string) {
  return TRUTHS.find((each) => each.name === name)!;
}

// Of 60 studies at 5 % eight or more come with a chance of one in a hundred: the draws are fixed, so this one doesn't.
const MOST = 7;

test.each([
  ["nothing, 1 task", fiveByTwo],
  ["nothing, 6 tasks", fiveByTwo],
  ["nothing, 6 tasks that differ", tenByOne],
  ["nothing, 4 tasks that differ", fiveByTwo],
  ["nothing, 6 tasks, runs share noise", tenByOne],
  ["nothing, 1 task, 4 ratios", fiveByTwo],
])("%s: claims are as rare as the level says", (name, design) => {
  expect(tally(design, truth(name), STUDIES).falseClaims).toBeLessThanOrEqual(MOST);
});

test.each(["saturating, 1 task", "early saturating, 1 task, strong", "monotone, 1 task"])(
  "%s: no maximum is claimed where none is",
  (name) => {
    expect(tally(fiveByTwo, truth(name), STUDIES).falsePeaks).toBeLessThanOrEqual(MOST);
  },
);

test("where runs share no noise, about as many relations are seen as by a t-test over tasks", () => {
  const { found, twoStage } = tally(tenByTwo, truth("quadratic, 6 tasks, weak"), STUDIES);
  // Of the same studies; variances as a difference of mean squares with their own degrees of freedom see 15 fewer.
  expect(twoStage - found).toBeLessThanOrEqual(6);
});

test("a score's own sampling error as a known variance hides what is there: cells answer the same items", () => {
  const nothing = samplingTally(fiveByTwo, true, "none", STUDIES, 1);
  expect(nothing.known).toBe(0);
  expect(nothing.without).toBeLessThanOrEqual(MOST);
  const { known, paired, without } = samplingTally(tenByOne, true, "quadratic", STUDIES, 1);
  expect(known).toBeLessThan(without);
  // Paired by item it hides next to nothing, and claims no more.
  expect(paired!).toBeGreaterThan((known + 2 * without) / 3);
  expect(nothing.paired!).toBeLessThanOrEqual(MOST);
});

test("a quadratic: its vertex lies in the intervals", () => {
  const { covered, intervals } = tally(tenByOne, truth("quadratic, 1 task"), STUDIES);
  expect(intervals).toBe(STUDIES);
  // 95 % of 60 is 57; 52 or fewer come with a chance of one in a hundred.
  expect(covered).toBeGreaterThanOrEqual(53);
});

test("too few cells carry no verdict", () => {
  for (const design of DESIGNS.slice(0, 2)) {
    const { judged, claims, shapes } = tally(design, truth("nothing, 1 task"), 5);
    expect({ judged, claims, shapes }).toEqual({ judged: 0, claims: 0, shapes: { "no verdict": 5 } });
  }
});

test("the same seed draws the same, another one not", () => {
  const once = tally(fiveByTwo, truth("quadratic, 1 task"), 10, 3);
  expect(tally(fiveByTwo, truth("quadratic, 1 task"), 10, 3)).toEqual(once);
  expect(tally(fiveByTwo, truth("quadratic, 1 task"), 10, 4)).not.toEqual(once);
});

test("an aim is met where the figure is within it, and missed where the interval lies wholly beyond it", () => {
  const found = tally(fiveByTwo, truth("nothing, 1 task"), 20);
  const state = (falseClaims: number) => aims([{ ...found, falseClaims }])[0]!.state;
  expect([state(1), state(2), state(10)]).toEqual(["met", "not refuted", "not met"]);
  expect(share(0, 0)).toBeUndefined();
});
