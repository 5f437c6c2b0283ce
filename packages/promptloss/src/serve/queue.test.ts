import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { EngineQueue } from "./queue.ts";

test("a request that is done leaves nothing behind: no listener, no timer", async () => {
  const queue = new EngineQueue({ running: 1, waiting: 4, seconds: 600 });
  const client = new AbortController();
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const signals: AbortSignal[] = [];
  for (let i = 0; i < 3; i++) await queue.run(async (signal) => void signals.push(signal), client.signal);
  await expect(queue.run(() => Promise.reject(new Error("no")), client.signal)).rejects.toThrow("no");
  expect(getEventListeners(client.signal, "abort")).toEqual([]);
  expect(timers()).toBe(before);
  client.abort();
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, false, false]);
});
