// The compiled packages, which end-to-end tests run as a user does. Whatever test imports this is one of them, and
// test/compile.ts compiles before the first.
import { fileURLToPath } from "node:url";

/** A compiled module's path: `compiled("packages/promptloss", "cli/main.js")`. */
export function compiled(folder: "packages/promptloss" | "packages/torch" | "demo", module: string): string {
  return fileURLToPath(new URL(`../${folder}/dist/${module}`, import.meta.url));
}
