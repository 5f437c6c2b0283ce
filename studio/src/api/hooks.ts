// What a component shows of the server: what a topic says as it goes, or one answer.
import { type ReadonlySignal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Overview } from "promptloss/studio";
import { useLive } from "./live.ts";

export interface Topic<Value> {
  /** What was said last. */
  readonly value: ReadonlySignal<Value | undefined>;
  /** Whether what it is about was removed, or never there. */
  readonly gone: ReadonlySignal<boolean>;
}

/** Watches one topic for as long as the component is there. */
export function useTopic<Value>(topic: string): Topic<Value> {
  const value = useSignal<Value | undefined>(undefined);
  const gone = useSignal(false);
  useLive([topic], (message) => {
    if (message.gone) gone.value = true;
    else value.value = message.value as Value;
  });
  return { value, gone };
}

/** The runs and studies of the folder. */
export function useOverview(): ReadonlySignal<Overview | undefined> {
  return useTopic<Overview>("overview").value;
}

export interface Fetched<Value> {
  /** The last answer, while a new one is awaited too. */
  readonly value: ReadonlySignal<Value | undefined>;
  /** Why there is none. */
  readonly failure: ReadonlySignal<string | undefined>;
}

/**
 * Asks when the component comes, and again when a key changes.
 * @param load undefined asks nothing
 */
export function useFetched<Value>(
  load: ((signal: AbortSignal) => Promise<Value>) | undefined,
  keys: readonly unknown[],
): Fetched<Value> {
  const value = useSignal<Value | undefined>(undefined);
  const failure = useSignal<string | undefined>(undefined);
  useEffect(() => {
    if (load === undefined) return undefined;
    const ending = new AbortController();
    load(ending.signal).then(
      (found) => {
        value.value = found;
        failure.value = undefined;
      },
      (error: Error) => {
        if (!ending.signal.aborted) failure.value = error.message;
      },
    );
    return () => ending.abort();
  }, keys);
  return { value, failure };
}
