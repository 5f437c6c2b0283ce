// A YAML file read with the line of everything in it, so that problems can name their place.
import { readFileSync } from "node:fs";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import { RecipeError, type RecipeProblem } from "./errors.ts";

export interface YamlFile {
  readonly document: Document;
  /** The line of a node, from 1; of the nearest node around it, short of the whole, where there is none there. */
  readonly lineOf: (path: readonly PropertyKey[]) => number | undefined;
}

type Failure = new (file: string, problems: readonly RecipeProblem[]) => Error;

/**
 * Reads a YAML file.
 * @param failure the error to throw, with every problem and its line
 */
export const readYaml = (file: string, failure: Failure = RecipeError): YamlFile => {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new failure(file, [{ path: "", message: (cause as Error).message, line: undefined }]);
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (document.errors.length > 0)
    throw new failure(
      file,
      document.errors.map(({ message, pos }) => ({ path: "", message, line: lines.linePos(pos[0]).line })),
    );
  const exact = (path: readonly PropertyKey[]): number | undefined => {
    const node = document.getIn(path, true);
    return isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
  };
  const lineOf = (path: readonly PropertyKey[]): number | undefined =>
    exact(path) ?? (path.length > 1 ? lineOf(path.slice(0, -1)) : undefined);
  return { document, lineOf };
};
