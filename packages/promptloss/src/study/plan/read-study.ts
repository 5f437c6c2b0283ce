// Reads a study file into cells: factors expanded, every cell's recipe checked, every problem told at once with its
// line. Trains nothing and reads no data.
import { basename, dirname, extname, join, resolve } from "node:path";
import { closest } from "fastest-levenshtein";
import {
  ConfigFileError,
  checkDocument,
  isConfigFile,
  placedAt,
  placedPath,
  readDocument,
} from "../../config-file/index.ts";
import { checkRecipe, type Recipe } from "../../recipe/index.ts";
import type { TaskGroup } from "../../statistics/index.ts";
import { StudyFileError } from "../errors.ts";
import { type Evaluator, type Evaluators, evaluators as known, taskOfFile } from "../evaluate/index.ts";
import type { FactorValue } from "../results/result-row.ts";
import { type BaseRecipe, readBaseRecipe, withValues } from "./base-recipe.ts";
import { type Cell, cellId, taskAddress } from "./cell.ts";
import { exclusionProblems, factorProblems, type Problem, pairProblems } from "./checks.ts";
import { type Combination, combinationsOf, tooMany } from "./combinations.ts";
import { factorsOf } from "./factors.ts";
import { type KeptResults, readKeptResults } from "./kept-results.ts";
import { type StudySettings, studySchema } from "./schema.ts";

export interface StudyTask {
  readonly task: string;
  readonly evaluator: Evaluator;
  readonly group: TaskGroup | undefined;
  /** The metric that stands for the task; the task's own choice where undefined. */
  readonly metric: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
  /** The hash of all that decides on a cell's score in it. */
  readonly address: string;
}

export interface Study {
  readonly name: string;
  readonly file: string;
  /** The folder of cells and results. */
  readonly output: string;
  /** Results of cells that are not to be run again; undefined where the study file names no folder for them. */
  readonly kept: KeptResults | undefined;
  readonly factors: readonly { readonly name: string; readonly labels: readonly FactorValue[] }[];
  readonly cells: readonly Cell[];
  readonly tasks: readonly StudyTask[];
  readonly settings: StudySettings;
}

export interface ReadStudyOptions {
  /** Recipe keys that all cells change, after the file's own `set`. */
  readonly set?: Readonly<Record<string, unknown>>;
  /** The tasks that can be named. */
  readonly evaluators?: Evaluators;
}

type LineOf = BaseRecipe["lineOf"];

/**
 * Reads and checks a study file. Paths are taken from beside the file that names them where they exist there.
 * @throws {StudyFileError} with every problem and its line; {RecipeError} for a base recipe that can't be read
 * @example
 * ```ts
 * import { readStudy } from "promptloss";
 *
 * const { cells } = readStudy("study.yaml");
 * for (const { id, levels } of cells) console.log(id, levels);
 * ```
 */
export function readStudy(file: string, { evaluators = known, set = {} }: ReadStudyOptions = {}): Study {
  const document = readDocument(file, { failure: StudyFileError });
  const { lineOf } = document;
  const given = checkDocument(document, studySchema, StudyFileError);
  const settings = { ...given, set: { ...given.set, ...set } as StudySettings["set"] };
  const factors = factorsOf(settings);
  const { tasks, problems: taskProblems } = tasksOf(settings, evaluators, file);
  refuse(file, lineOf, [
    ...factorProblems(factors),
    ...pairProblems(factors, settings),
    ...exclusionProblems(factors, settings),
    ...taskProblems,
  ]);
  const base = readBaseRecipe(settings.recipe, file, lineOf);
  const many = tooMany(factors, settings);
  if (many !== undefined) refuse(file, lineOf, [{ path: ["factors"], message: many }]);
  const combinations = combinationsOf(factors, settings);
  if (combinations.length === 0) refuse(file, lineOf, [{ path: ["exclude"], message: "no cell is left" }]);
  const cells = checkedCells(file, lineOf, base, combinations, settings, tasks);
  const name = settings.name ?? basename(file, extname(file));
  return {
    name,
    file,
    output: settings.output ?? `runs/${name}`,
    kept:
      settings.results === undefined
        ? undefined
        : readKeptResults(join(dirname(file), settings.results), tasks),
    factors: factors.map((factor) => ({
      name: factor.name,
      labels: factor.levels.map(({ label }) => label),
    })),
    cells,
    tasks,
    settings,
  };
}

function refuse(file: string, lineOf: LineOf, problems: readonly Problem[]): void {
  if (problems.length > 0) throw refusal(file, lineOf, problems);
}

/** Each problem once, however many cells have it. */
function refusal(file: string, lineOf: LineOf, problems: readonly Problem[]): StudyFileError {
  const once = new Map(problems.map((problem) => [`${problem.path.join(".")} ${problem.message}`, problem]));
  return new StudyFileError(
    file,
    [...once.values()].map(({ path, message }) => ({ path: path.join("."), message, line: lineOf(path) })),
  );
}

/** Tasks by their names, or from task files; problems where there is none of a name, or two. */
function tasksOf(
  { tasks: asked, taskData }: StudySettings,
  evaluators: Evaluators,
  file: string,
): { tasks: StudyTask[]; problems: Problem[] } {
  const folder = dirname(file);
  const tasks: StudyTask[] = [];
  const problems: Problem[] = [];
  for (const [i, each] of asked.entries()) {
    const { group, metric, options, ...rest } =
      typeof each === "string" ? { task: each, group: undefined, metric: undefined, options: {} } : each;
    const path = ["tasks", i];
    const found = foundTask(rest.task, evaluators, folder);
    if ("message" in found) {
      problems.push({ path, message: found.message });
      continue;
    }
    const { task, evaluator } = found;
    if (tasks.some((before) => before.task === task))
      problems.push({ path, message: `the task ${task} comes twice: results could not tell the two apart` });
    if (metric !== undefined && evaluator.metrics?.includes(metric) === false)
      problems.push({
        path: [...path, "metric"],
        message: `${task} has no metric ${metric}; it has ${evaluator.metrics.join(", ")}`,
      });
    const data = evaluator.readsModel && taskData !== undefined ? { data: placedPath(taskData, folder) } : {};
    const own = (evaluator.paths ?? []).reduce(
      (all: StudyTask["options"], path) => placedAt(all, path.split("."), folder),
      options,
    );
    const settled = { task, evaluator, metric, options: { ...data, ...own } };
    tasks.push({
      ...settled,
      address: taskAddress(settled, resolve(folder)),
      group: (group as TaskGroup | undefined) ?? evaluator.group,
    });
  }
  return { tasks, problems };
}

/** A task by its name or from its file; a message where there is none, or its file can't be used. */
function foundTask(
  name: string,
  evaluators: Evaluators,
  folder: string,
): { task: string; evaluator: Evaluator } | { message: string } {
  if (isConfigFile(name)) {
    try {
      return taskOfFile(placedPath(name, folder));
    } catch (error) {
      if (!(error instanceof ConfigFileError)) throw error;
      return { message: error.message };
    }
  }
  const evaluator = Object.hasOwn(evaluators, name) ? evaluators[name] : undefined;
  if (evaluator !== undefined) return { task: name, evaluator };
  return { message: `there is no task ${name}; did you mean ${closest(name, Object.keys(evaluators))}?` };
}

function checkedCells(
  file: string,
  lineOf: LineOf,
  base: BaseRecipe,
  combinations: readonly Combination[],
  settings: StudySettings,
  tasks: readonly StudyTask[],
): Cell[] {
  const folder = dirname(resolve(file));
  const problems: Problem[] = [];
  const cells = new Map<string, Cell>();
  const common = commonRecipe(base, settings, folder, (found) => {
    throw refusal(file, lineOf, found);
  });
  for (const combination of combinations) {
    const placed = placesOf(combination, settings);
    const values = Object.assign({}, ...combination.map(({ level }) => level.set)) as Record<string, unknown>;
    let recipe: Recipe;
    try {
      const { output: _output, ...checked } = checkRecipe(withValues(common, values, folder), file);
      recipe = checked as Recipe;
    } catch (error) {
      if (!(error instanceof ConfigFileError)) throw error;
      problems.push(...error.problems.map((problem) => inStudy(problem, placed, base)));
      continue;
    }
    if (recipe.model === undefined)
      problems.push({ path: ["recipe"], message: "training needs a model: name one here or as a factor" });
    for (const [i, { evaluator, options }] of tasks.entries()) {
      const message = evaluator.refuse(options, recipe);
      if (message !== undefined) problems.push({ path: ["tasks", i], message });
    }
    const id = cellId(recipe, folder);
    const levels = Object.fromEntries(combination.map(({ factor, level }) => [factor.name, level.label]));
    const twin = cells.get(id);
    if (twin !== undefined)
      problems.push({
        path: ["factors"],
        message: `${labels(twin.levels)} and ${labels(levels)} are the same recipe; exclude one of the two`,
      });
    cells.set(id, { id, levels, recipe });
  }
  refuse(file, lineOf, problems);
  return [...cells.values()];
}

/** The base recipe with what all cells change. */
function commonRecipe(
  base: BaseRecipe,
  { set }: StudySettings,
  folder: string,
  refused: (problems: readonly Problem[]) => never,
): unknown {
  try {
    return withValues(base.value, set, folder);
  } catch (error) {
    if (!(error instanceof ConfigFileError)) throw error;
    return refused(
      error.problems.map(({ path, message }) => ({ path: ["set"], message: `${path}: ${message}` })),
    );
  }
}

function labels(levels: Readonly<Record<string, FactorValue>>): string {
  return Object.entries(levels)
    .map(([name, label]) => `${name} ${label}`)
    .join(", ");
}

/** Where the study file sets each recipe key: a level after all cells' common changes. */
function placesOf(combination: Combination, { set }: StudySettings): Map<string, readonly PropertyKey[]> {
  return new Map([
    ...Object.keys(set).map((key) => [key, ["set", key]] as const),
    ...combination.flatMap(({ level }) => Object.keys(level.set).map((key) => [key, level.path] as const)),
  ]);
}

/** A recipe's problem as one of the study: at the level that set the key, else at the base recipe. */
function inStudy(
  { path, message }: { path: string; message: string },
  placed: ReadonlyMap<string, readonly PropertyKey[]>,
  base: BaseRecipe,
): Problem {
  const setter = [...placed].findLast(
    ([key]) => path === key || path.startsWith(`${key}.`) || key.startsWith(`${path}.`),
  );
  if (setter !== undefined) return { path: setter[1], message: `${path}: ${message}` };
  if (base.file === undefined) return { path: ["recipe", ...path.split(".")], message };
  const line = base.lineOf(path.split("."));
  return {
    path: ["recipe"],
    message: `${base.file}${line === undefined ? "" : `:${line}`}: ${path}: ${message}`,
  };
}
