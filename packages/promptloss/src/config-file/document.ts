// A YAML file of settings: its value as plain data, with the line of everything in it. Bounded in size, so that no file
// makes reading hang; what is wrong is said with its line.
import { type Assignment, assign } from "./assignments.ts";
import { type ConfigFailure, ConfigFileError } from "./errors.ts";
import { type LineOf, parseText } from "./parse-text.ts";
import { readText } from "./read-text.ts";

export interface ConfigDocument {
  readonly file: string;
  /** As plain data, assignments done. */
  readonly value: unknown;
  readonly lineOf: LineOf;
  /** Whether an assignment gave the value at a path: then it has no line. */
  readonly isSet: (path: readonly PropertyKey[]) => boolean;
}

/** Whether a name is that of a file of settings, and not of something that is known by its name. */
export function isConfigFile(name: string): boolean {
  return /\.ya?ml$/i.test(name);
}

export interface ReadDocumentOptions {
  /** The error to throw. */
  readonly failure?: ConfigFailure;
  /** Values in place of the file's. */
  readonly set?: readonly Assignment[];
}

/**
 * Reads a YAML file.
 * @throws {ConfigFileError}, or `failure`, with every problem and its line
 */
export function readDocument(file: string, options: ReadDocumentOptions = {}): ConfigDocument {
  const { failure = ConfigFileError, set = [] } = options;
  let text: string;
  try {
    text = readText(file);
  } catch (cause) {
    throw new failure(file, [{ path: "", message: (cause as Error).message, line: undefined }]);
  }
  const { value, lineOf } = parseText(text, file, failure);
  return {
    file,
    value: set.reduce<unknown>((before, each) => assign(before, each, failure), value),
    lineOf,
    isSet: (path) => set.some((each) => each.path.every((key, i) => key === String(path[i]))),
  };
}
