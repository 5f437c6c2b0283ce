// Every reply of a judge, in a file of JSON lines that grows: what was asked once is not asked again, and a run that
// was cut off resumes. Replies are kept as the judge gave them; a torn last line is passed over.
import { createHash } from "node:crypto";
import { closeSync, existsSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder, refusing } from "../../files/atomic.ts";
import { outputError } from "../../files/errors.ts";
import type { JudgeRequest } from "./protocol.ts";

export class ReplyCache {
  readonly file: string;
  readonly #replies = new Map<string, string>();
  readonly #handle: number;

  /** @throws {OutputError} for a file that can't be read or written */
  constructor(file: string) {
    this.file = file;
    try {
      makeFolder(dirname(file));
      const before = existsSync(file) ? readFileSync(file, "utf8") : "";
      for (const line of before.split("\n")) this.#remember(line);
      this.#handle = openSync(file, "a");
      // What a torn line left must not swallow the next one.
      if (before !== "" && !before.endsWith("\n")) writeSync(this.#handle, "\n");
    } catch (cause) {
      throw outputError(file, cause);
    }
  }

  get size(): number {
    return this.#replies.size;
  }

  get(key: string): string | undefined {
    return this.#replies.get(key);
  }

  /** On disk when it returns. */
  set(key: string, reply: string): void {
    this.#replies.set(key, reply);
    refusing(this.file, () => writeSync(this.#handle, `${JSON.stringify({ key, reply })}\n`));
  }

  close(): void {
    closeSync(this.#handle);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #remember(line: string): void {
    try {
      const { key, reply } = JSON.parse(line) as { key?: unknown; reply?: unknown };
      if (typeof key === "string" && typeof reply === "string") this.#replies.set(key, reply);
    } catch {
      // A torn or empty line: its question is asked again.
    }
  }
}

/** @param judge who is asked, with every setting that could change its reply */
export function replyKey(judge: string, { prompt, maxNewTokens, local }: JudgeRequest): string {
  return createHash("sha256")
    .update(JSON.stringify([judge, prompt, maxNewTokens, local]))
    .digest("hex");
}
