// A client of the studio's live stream, for tests.
import type { LiveMessage } from "../../src/studio/index.ts";

/** Opens the stream, hears messages until one fits, and closes it. @throws {Error} where the stream ends before */
export async function liveUntil(
  url: string,
  fits: (message: LiveMessage, all: readonly LiveMessage[]) => boolean,
): Promise<LiveMessage[]> {
  const ending = new AbortController();
  const response = await fetch(url, { signal: ending.signal });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
  const all: LiveMessage[] = [];
  let rest = "";
  try {
    for await (const bytes of response.body!.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + bytes).split("\n\n");
      rest = parts.pop()!;
      for (const part of parts.filter((each) => each.startsWith("data: "))) {
        all.push(JSON.parse(part.slice(6)) as LiveMessage);
        if (fits(all.at(-1)!, all)) return all;
      }
    }
    throw new Error("the stream ended");
  } finally {
    ending.abort();
  }
}
