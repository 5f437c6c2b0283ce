// One stream of server-sent events for all that a page watches: browsers open few connections to a server, so a page
// names its topics in one request. A topic is looked at again and again, and told when it differs.
import type { Context } from "hono";
import { ServeError } from "../serve/errors.ts";
import { eventStream } from "../serve/event-stream.ts";
import type { LiveMessage } from "./api.ts";

/** Looks anew; undefined where nothing is new, null where what it watched is not there. */
export type Watch = () => unknown;

export interface TopicKind {
  /** Milliseconds between two looks. */
  readonly every: number;
  /** @param id what stands behind the colon of `run:ID`; undefined where there is none of that id */
  readonly open: (id: string, query: LiveQuery) => Watch | undefined;
}

export interface LiveQuery {
  /** The most points of a series. */
  readonly points: number;
}

/** Topics by what stands before their colon. */
export type Topics = Readonly<Record<string, TopicKind>>;

/** What one stream watches at most. */
export const MOST_TOPICS = 128;
const POINTS = { least: 50, most: 4000, usual: 1000 };

/** Milliseconds without an event after which a comment keeps the connection. */
const BEAT = 10_000;
const STEP = 250;

/** Values that are whole each time: told where their JSON differs from the last. */
export function whenChanged(read: () => unknown): Watch {
  let last: string | undefined;
  return () => {
    const value = read();
    if (value === undefined) return null;
    const text = JSON.stringify(value);
    if (text === last) return undefined;
    last = text;
    return value;
  };
}

interface Watched {
  readonly topic: string;
  readonly every: number;
  readonly watch: Watch;
  due: number;
}

/** @throws {ServeError} for topics that are not known, or too many */
export function liveStream(c: Context, topics: Topics): Response {
  const asked = [...new Set(c.req.queries("topic") ?? [])];
  const query = { points: pointsOf(c.req.query("points")) };
  if (asked.length === 0 || asked.length > MOST_TOPICS)
    throw new ServeError(400, `topic: 1 to ${MOST_TOPICS} are given, and not ${asked.length}`, {
      param: "topic",
    });
  const watched = asked.map((topic): Watched => {
    const [kind = "", ...rest] = topic.split(":");
    const found = Object.hasOwn(topics, kind) ? topics[kind] : undefined;
    if (found === undefined)
      throw new ServeError(400, `topic: there is no ${kind}, but ${Object.keys(topics).join(", ")}`, {
        param: "topic",
      });
    return { topic, every: found.every, watch: found.open(rest.join(":"), query) ?? (() => null), due: 0 };
  });
  return eventStream(c, async (out) => {
    let ended = false;
    out.onAbort(() => {
      ended = true;
    });
    const send = (message: LiveMessage): Promise<unknown> =>
      out.write(`data: ${JSON.stringify(message)}\n\n`);
    for (let quiet = 0; !ended && watched.length > 0; quiet += STEP) {
      const now = performance.now();
      for (const each of watched.filter(({ due }) => due <= now)) {
        each.due = now + each.every;
        const value = each.watch();
        if (value === undefined) continue;
        quiet = 0;
        if (value === null) watched.splice(watched.indexOf(each), 1);
        await send(value === null ? { topic: each.topic, gone: true } : { topic: each.topic, value });
      }
      if (quiet >= BEAT) {
        quiet = 0;
        await out.write(": \n\n");
      }
      await out.sleep(STEP);
    }
  });
}

/** @throws {ServeError} */
function pointsOf(text: string | undefined): number {
  const points = text === undefined ? POINTS.usual : Number(text);
  if (!Number.isInteger(points) || points < POINTS.least || points > POINTS.most)
    throw new ServeError(400, `points: a whole number from ${POINTS.least} to ${POINTS.most} was expected`, {
      param: "points",
    });
  return points + (points % 2);
}
