// Where readline draws the line that is typed. The door would show its cursor movements in place of obeying them; bytes
// pass.
import { Writable } from "node:stream";
import { guarded } from "./door.ts";

/**
 * An output for readline on a terminal. It writes what readline writes: cursor movements, what the user types, and the
 * prompt, which must come through {@link linePrompt}.
 */
export function lineOutput(terminal: NodeJS.WriteStream = process.stdout): Writable {
  const output = new Writable({
    decodeStrings: false,
    write(text: string | Uint8Array, _, done) {
      terminal.write(typeof text === "string" ? Buffer.from(text) : text);
      done();
    },
  });
  // readline asks the output for its width, and hears of a new one.
  Object.defineProperty(output, "columns", { get: () => terminal.columns });
  terminal.on("resize", () => output.emit("resize"));
  return output;
}

/** A prompt of ours as readline must have it, which measures it: our colors as the terminal takes them, all else harmless. */
export function linePrompt(text: string): string {
  return guarded(text);
}
