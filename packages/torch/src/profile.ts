// Which operators ran when, on which thread and for how long: as a trace that Perfetto and Chrome open, and as a table.

import { addon } from "./native/addon.ts";

/** One run of an operator. Times in microseconds from the profile's start. */
export interface ProfileEvent {
  /** As libtorch calls it: "aten::mm", or a backward node such as "MmBackward0". */
  readonly name: string;
  /** 0 for the first thread that ran an operator, 1 for the next … */
  readonly thread: number;
  readonly start: number;
  readonly duration: number;
}

export interface Profile {
  /** In the order in which they ended. */
  readonly events: readonly ProfileEvent[];
  /** Events past the three millionth, which are not kept. */
  readonly dropped: number;
}

export interface OperatorTime {
  readonly name: string;
  readonly calls: number;
  /** Milliseconds in it and in what it called. */
  readonly total: number;
  /** Milliseconds in it alone. */
  readonly self: number;
}

/** Begins to record what operators all threads run; costs about a microsecond an operator. */
export function startProfile(): void {
  addon.startProfile();
}

/** Ends what `startProfile` began. */
export function stopProfile(): Profile {
  const { names, events, dropped } = addon.stopProfile();
  const list = Array.from({ length: events.length / 4 }, (_, i) => {
    const [name = 0, thread = 0, start = 0, duration = 0] = events.subarray(4 * i, 4 * i + 4);
    return { name: names[name] ?? "", thread, start, duration };
  });
  return { events: list, dropped };
}

/** The times of each operator, those first that took most by themselves. */
export function operatorTimes({ events }: Profile): OperatorTime[] {
  const times: Times = new Map();
  // Outer events come before the inner ones that start with them.
  const ordered = events.toSorted(
    (a, b) => a.thread - b.thread || a.start - b.start || b.duration - a.duration,
  );
  const open: ProfileEvent[] = [];
  for (const event of ordered) {
    const { name, thread, start, duration } = event;
    const encloses = (outer: ProfileEvent | undefined): boolean =>
      outer === undefined || (outer.thread === thread && start < outer.start + outer.duration);
    while (!encloses(open.at(-1))) open.pop();
    const outer = open.at(-1);
    if (outer !== undefined) entry(times, outer.name).self -= duration / 1000;
    const own = entry(times, name);
    own.calls++;
    own.self += duration / 1000;
    // What an operator calls by its own name is in its time already.
    if (!open.some((each) => each.name === name)) own.total += duration / 1000;
    open.push(event);
  }
  return [...times].map(([name, time]) => ({ name, ...time })).sort((a, b) => b.self - a.self);
}

type Times = Map<string, { calls: number; total: number; self: number }>;

function entry(times: Times, name: string): { calls: number; total: number; self: number } {
  const found = times.get(name) ?? { calls: 0, total: 0, self: 0 };
  times.set(name, found);
  return found;
}

/** The profile as Chrome's trace format, JSON text that chrome://tracing and ui.perfetto.dev open. */
export function chromeTrace({ events }: Profile): string {
  const lines = events.map(({ name, thread, start, duration }) =>
    JSON.stringify({ name, ph: "X", pid: 1, tid: thread, ts: start, dur: duration, cat: "operator" }),
  );
  return `{"displayTimeUnit":"ms","traceEvents":[\n${lines.join(",\n")}\n]}\n`;
}
