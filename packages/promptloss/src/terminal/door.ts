// The one door to the terminal. A command opens it before it does anything; from then on all that is written to standard
// output and error passes through it, and what a terminal would obey is shown in its place, whoever wrote it: a column's
// name, a key, an error of a library. Colors and cursor movements of our own come with a key in place of the escape
// character, drawn anew in each process, so that no text from outside can have it.
import { randomBytes } from "node:crypto";
import { harmless } from "./visible.ts";

const ESCAPE = "\x1b";

let key: string | undefined;

/** What our own control sequences begin with: the door's key, or the escape character where there is no door. */
export function controlMark(): string {
  return key ?? ESCAPE;
}

/** Own sequences kept, all else made harmless. Without a door, text stays as it is. */
export function guarded(text: string): string {
  return key === undefined ? text : text.split(key).map(harmless).join(ESCAPE);
}

/** Puts the door before standard output and error. Bytes pass as they are: what is meant for a file, not for the eye. */
export function openDoor(streams: readonly NodeJS.WriteStream[] = [process.stdout, process.stderr]): void {
  if (key !== undefined) return;
  key = `\uFDD0${randomBytes(6).toString("hex")}\uFDD1`;
  for (const stream of streams) {
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    stream.write = ((chunk: unknown, ...rest: unknown[]) =>
      write(typeof chunk === "string" ? guarded(chunk) : chunk, ...rest)) as typeof stream.write;
  }
}

/** Text that is what a command was asked for: as it is where it goes to a file, harmless where a terminal shows it. */
export function product(text: string): string | Uint8Array {
  return process.stdout.isTTY ? text : Buffer.from(text);
}
