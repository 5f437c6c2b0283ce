// Where the program of a thread or a process of our own lies.
import { fileURLToPath } from "node:url";

/**
 * The compiled file of a program, also for a caller that runs from its TypeScript source, as in tests.
 * @param name the file, relative to the caller: "./download-thread.js"
 * @param caller the caller's `import.meta.url`
 */
export function compiledProgram(name: string, caller: string): string {
  const path = fileURLToPath(new URL(name, caller));
  const source = fileURLToPath(new URL(".", import.meta.url));
  return path.startsWith(source) && caller.endsWith(".ts")
    ? fileURLToPath(new URL(`../dist/${path.slice(source.length)}`, import.meta.url))
    : path;
}
