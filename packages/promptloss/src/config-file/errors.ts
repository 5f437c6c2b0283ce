// What is wrong with a file of settings: every problem at once, each with its place.
import { PromptlossError } from "../errors.ts";

export interface FileProblem {
  /** Where, as "loss.promptLossWeight"; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  /** The line in the file, counted from 1. */
  readonly line: number | undefined;
  /** What set the value in the file's place, as "--set"; the file itself where left out. */
  readonly setBy?: string | undefined;
}

/** Problems that are printed; the others are counted. */
const SHOWN = 20;

/** A recipe, study or task file that can't be used: the base of their errors. */
export class ConfigFileError extends PromptlossError {
  readonly file: string;
  readonly problems: readonly FileProblem[];

  constructor(file: string, problems: readonly FileProblem[], hint?: string) {
    super(linesOf(file, problems).join("\n"), { hint });
    this.file = file;
    this.problems = problems;
  }
}

export type ConfigFailure = new (
  file: string,
  problems: readonly FileProblem[],
  hint?: string,
) => ConfigFileError;

function linesOf(file: string, problems: readonly FileProblem[]): string[] {
  const lines = problems.slice(0, SHOWN).map(({ path, message, line, setBy }) => {
    const place = setBy ?? (line === undefined ? file : `${file}:${line}`);
    return `${place}: ${path === "" ? "" : `${path}: `}${message}`;
  });
  const more = problems.length - lines.length;
  return more === 0 ? lines : [...lines, `${file}: and ${more.toLocaleString("en-US")} more problems`];
}
