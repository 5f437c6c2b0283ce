// `promptloss serve` and `promptloss studio` as processes of their own.
import { once } from "node:events";
import { createInterface } from "node:readline";
import { startPromptloss } from "./command.ts";

export interface ServeProcess {
  readonly child: ReturnType<typeof startPromptloss>;
  /** Its exit code and signal. */
  readonly ended: Promise<[number | null, string | null]>;
  /** What it printed first. */
  readonly line: string;
  readonly url: string;
  readonly errors: () => string;
}

/** `promptloss serve` on a free port. @throws {Error} where it ends before it listens */
export function startServing(...args: string[]): Promise<ServeProcess> {
  return started(["serve", "--port", "0", ...args]);
}

/** `promptloss studio` on a free port; its `url` is the page's. @throws {Error} where it ends before it listens */
export function startStudio(...args: string[]): Promise<ServeProcess> {
  return started(["studio", "--port", "0", ...args]);
}

async function started(args: readonly string[]): Promise<ServeProcess> {
  const child = startPromptloss(args);
  let errors = "";
  child.stderr.on("data", (data: Buffer) => {
    errors += data.toString();
  });
  const ended = once(child, "close") as Promise<[number | null, string | null]>;
  const line = await Promise.race([
    once(createInterface({ input: child.stdout }), "line").then(([text]) => text as string),
    ended.then(([code]) => {
      throw new Error(`ended with ${code}: ${errors}`);
    }),
  ]);
  return { child, ended, line, url: line.slice(line.indexOf("http")), errors: () => errors };
}
