// What the page watches comes as one stream of events; a stream that breaks is opened again, and tells all anew.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { LiveMessage } from "promptloss/studio";
import { ApiError, request } from "./client.ts";
import { eventsOf } from "./event-stream.ts";
import { keyWanted } from "./key.ts";

/** Whether the stream of the view at hand is there. */
export const connection = signal<"open" | "lost">("open");

const RETRY_MS = 2000;

export interface LiveOptions {
  /** The most points of a series. */
  readonly points?: number;
  /** What the server refuses for good, such as an id that is not there. */
  readonly onRefused?: (error: ApiError) => void;
}

/** Watches topics for as long as the component is there. */
export function useLive(
  topics: readonly string[],
  onMessage: (message: LiveMessage) => void,
  { points, onRefused }: LiveOptions = {},
): void {
  const hear = useRef({ onMessage, onRefused });
  hear.current = { onMessage, onRefused };
  const query = new URLSearchParams(topics.map((topic) => ["topic", topic]));
  if (points !== undefined) query.set("points", String(points));
  const address = topics.length === 0 ? undefined : `/studio/api/live?${query}`;
  // A key that was given opens the stream.
  const closed = keyWanted.value !== false;
  useEffect(() => {
    if (address === undefined || closed) return undefined;
    const ending = new AbortController();
    void follow(address, ending.signal, {
      onMessage: (message) => hear.current.onMessage(message),
      onRefused: (error) => hear.current.onRefused?.(error),
    });
    return () => ending.abort();
  }, [address, closed]);
}

type Ears = {
  readonly onMessage: (message: LiveMessage) => void;
  readonly onRefused: (error: ApiError) => void;
};

async function follow(address: string, signal: AbortSignal, { onMessage, onRefused }: Ears): Promise<void> {
  while (!signal.aborted) {
    try {
      const response = await request(address, { signal });
      connection.value = "open";
      for await (const data of eventsOf(response)) onMessage(JSON.parse(data) as LiveMessage);
    } catch (error) {
      if (signal.aborted) break;
      if (error instanceof ApiError && error.status >= 400 && error.status < 500) {
        onRefused(error);
        break;
      }
    }
    if (signal.aborted) break;
    connection.value = "lost";
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  connection.value = "open";
}
