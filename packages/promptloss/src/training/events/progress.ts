// Progress of what takes long: told a few times a second, however fast rows go by.
import type { ProgressEvent } from "./event.ts";

const INTERVAL_MS = 250;

/** Passes on an event where the last one passed on is old enough, and those that begin or end a phase. */
export function sparing(listener: (event: ProgressEvent) => void): (event: ProgressEvent) => void {
  let last = Number.NEGATIVE_INFINITY;
  return (event) => {
    const now = performance.now();
    if (now - last < INTERVAL_MS && event.done !== 0 && event.done !== event.total) return;
    last = now;
    listener(event);
  };
}
