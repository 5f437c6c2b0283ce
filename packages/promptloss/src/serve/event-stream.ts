// Responses of server-sent events.
import type { Context } from "hono";
import { stream } from "hono/streaming";

/** @param write what is sent, until it ends */
export function eventStream(c: Context, write: Parameters<typeof stream>[1]): Response {
  c.header("Content-Type", "text/event-stream; charset=utf-8");
  c.header("Cache-Control", "no-cache");
  return stream(c, write);
}
