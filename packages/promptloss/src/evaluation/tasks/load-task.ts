// A task by its name or from a file. The tasks that come with the package are files of its folder tasks/.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { checkDocument, isConfigFile, readDocument } from "../../config-file/index.ts";
import { nearestName } from "../../data/rows/nearest-name.ts";
import { EvaluationError, TaskFileError } from "../errors.ts";
import { builtinTasks, TASKS_FOLDER } from "./builtin-tasks.ts";
import { type EvaluationTask, kindSchemas, taskSchema } from "./schema.ts";

/**
 * Reads a task: a name of {@link builtinTasks}, or a YAML file.
 * @throws {EvaluationError} for a name that is none
 * @throws {TaskFileError} with every problem of the file and its line
 */
export function loadTask(nameOrFile: string): EvaluationTask {
  if (isConfigFile(nameOrFile)) return readTask(nameOrFile);
  const file = join(TASKS_FOLDER, `${nameOrFile}.yaml`);
  if (existsSync(file)) return readTask(file);
  const names = builtinTasks();
  const nearest = nearestName(nameOrFile, names);
  throw new EvaluationError(`there is no task ${nameOrFile}`, {
    hint:
      nearest === undefined
        ? `the tasks are ${names.join(", ")}; or give a task file (.yaml)`
        : `is it ${nearest}?`,
  });
}

function readTask(file: string): EvaluationTask {
  const document = readDocument(file, { failure: TaskFileError });
  const { kind } = (document.value ?? {}) as { kind?: unknown };
  const schema = Object.hasOwn(kindSchemas, String(kind))
    ? kindSchemas[kind as keyof typeof kindSchemas]
    : taskSchema;
  return checkDocument(document, taskSchema, TaskFileError, schema);
}
