import { expect, test } from "vitest";
import { ArgumentError, chromeTrace, ones, operatorTimes, startProfile, stopProfile } from "./index.ts";

test("operators are recorded with what they call, backward too", () => {
  startProfile();
  const input = ones([64, 64]);
  input.requiresGrad = true;
  input.matmul(input).sum().backward();
  const profile = stopProfile();
  expect(profile.dropped).toBe(0);
  const times = new Map(operatorTimes(profile).map((time) => [time.name, time]));
  const matmul = times.get("aten::matmul")!;
  const product = times.get("aten::mm")!;
  expect([matmul.calls, product.calls]).toEqual([1, 3]);
  expect(matmul.self).toBeLessThan(matmul.total);
  expect([...times.keys()].some((name) => name.includes("MmBackward"))).toBe(true);
  // All that ran, ran in one of them.
  const whole = [...times.values()].reduce((sum, { self }) => sum + self, 0);
  const outer = profile.events.reduce((end, { start, duration }) => Math.max(end, start + duration), 0);
  expect(whole).toBeLessThanOrEqual(outer / 1000);
  const { traceEvents } = JSON.parse(chromeTrace(profile));
  expect(traceEvents).toHaveLength(profile.events.length);
  expect(traceEvents[0]).toMatchObject({ ph: "X", ts: expect.any(Number), dur: expect.any(Number) });
});

test("times of nested operators are told apart", () => {
  const event = (name: string, start: number, duration: number, thread = 0) => ({
    name,
    thread,
    start,
    duration,
  });
  const events = [
    event("inner", 100, 200),
    event("same", 500, 100),
    event("same", 400, 400),
    event("outer", 0, 1000),
    event("inner", 50, 1000, 1),
  ];
  expect(operatorTimes({ events, dropped: 0 })).toEqual([
    { name: "inner", calls: 2, total: 1.2, self: 1.2 },
    { name: "outer", calls: 1, total: 1, self: 0.4 },
    { name: "same", calls: 2, total: 0.4, self: 0.4 },
  ]);
});

test("one profile is recorded at a time", () => {
  expect(stopProfile).toThrow(ArgumentError);
  startProfile();
  expect(startProfile).toThrow(/already/);
  stopProfile();
});
