// The tasks that come with the package: files of its folder tasks/.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const TASKS_FOLDER = fileURLToPath(new URL("../../../tasks/", import.meta.url));

/** Names of the tasks that come with the package. */
export function builtinTasks(): string[] {
  return readdirSync(TASKS_FOLDER)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.slice(0, -".yaml".length))
    .sort();
}
