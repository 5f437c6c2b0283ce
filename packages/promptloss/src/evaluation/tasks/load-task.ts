// A task by its name or from a file. The tasks that come with the package are files of its folder tasks/.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { nearestName } from "../../data/rows/nearest-name.ts";
import { problemsOf, readYaml } from "../../recipe/index.ts";
import { EvaluationError, TaskFileError } from "../errors.ts";
import { type EvaluationTask, kindSchemas, taskSchema } from "./schema.ts";

const folder = fileURLToPath(new URL("../../../tasks/", import.meta.url));

/** Names of the tasks that come with the package. */
export const builtinTasks = (): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => name.slice(0, -".yaml".length))
    .sort();

/**
 * Reads a task: a name of {@link builtinTasks}, or a YAML file.
 * @throws {EvaluationError} for a name that is none
 * @throws {TaskFileError} with every problem of the file and its line
 */
export const loadTask = (nameOrFile: string): EvaluationTask => {
  if (/\.ya?ml$/i.test(nameOrFile)) return readTask(nameOrFile);
  const file = join(folder, `${nameOrFile}.yaml`);
  if (existsSync(file)) return readTask(file);
  const names = builtinTasks();
  const nearest = nearestName(nameOrFile, names);
  throw new EvaluationError(`there is no task ${nameOrFile}`, {
    hint:
      nearest === undefined
        ? `the tasks are ${names.join(", ")}; or give a task file (.yaml)`
        : `is it ${nearest}?`,
  });
};

const readTask = (file: string): EvaluationTask => {
  const { document, lineOf } = readYaml(file, TaskFileError);
  const parsed = taskSchema.safeParse(document.toJS());
  if (parsed.success) return parsed.data;
  const kind = (document.toJS() as { kind?: keyof typeof kindSchemas } | null)?.kind;
  const keys = kind === undefined ? undefined : kindSchemas[kind];
  throw new TaskFileError(
    file,
    parsed.error.issues.flatMap((issue) => problemsOf(issue, lineOf, keys ?? taskSchema)),
  );
};
