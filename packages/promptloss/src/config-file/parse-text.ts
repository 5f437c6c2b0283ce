// YAML text → plain data, with the line of everything in it. Bounded, so that no text makes parsing hang: aliases are
// counted before they are expanded, keys compared in one pass.
import {
  CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isPair,
  isScalar,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
} from "yaml";
import type { ConfigFailure, FileProblem } from "./errors.ts";
import { clipped, LIMITS } from "./limits.ts";

/** The line of a node, from 1; of the nearest node around it, short of the whole, where there is none there. */
export type LineOf = (path: readonly PropertyKey[]) => number | undefined;

/**
 * Parses YAML text within the limits.
 * @param name what problems call it
 */
export function parseText(
  text: string,
  name: string,
  failure: ConfigFailure,
): { value: unknown; lineOf: LineOf } {
  const lines = new LineCounter();
  const lineAt = (node: unknown): number | undefined =>
    isNode(node) && node.range ? lines.linePos(node.range[0]).line : undefined;
  const fail = (problems: readonly FileProblem[]): never => {
    throw new failure(name, problems);
  };
  const passed = passedLimit(text);
  if (passed !== undefined) fail([{ path: "", message: passed, line: undefined }]);
  let document: Document;
  try {
    // The parser's own check of keys compares each with all before it.
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    return fail([{ path: "", message: TOO_DEEP, line: undefined }]);
  }
  const told = [...document.errors, ...document.warnings];
  if (told.length > 0)
    fail(
      told.map(({ message, pos }) => ({
        path: "",
        // The parser catches its own overflow and gives the engine's words for it.
        message: message.includes("call stack") ? TOO_DEEP : message,
        line: lines.linePos(pos[0]).line,
      })),
    );
  const found = problemsOfNodes(document);
  if (found.length > 0) fail(found.map(({ node, message }) => ({ path: "", message, line: lineAt(node) })));
  const exact = (path: readonly PropertyKey[]): number | undefined => lineAt(document.getIn(path, true));
  const lineOf: LineOf = (path) => exact(path) ?? (path.length > 1 ? lineOf(path.slice(0, -1)) : undefined);
  // What aliases come to was counted above.
  return { value: document.toJS({ maxAliasCount: -1 }) as unknown, lineOf };
}

const TOO_DEEP = `lists and mappings lie deeper within each other than ${LIMITS.depth}`;

const OPENING = new Set(["flow-seq-start", "flow-map-start"]);
const CLOSING = new Set(["flow-seq-end", "flow-map-end"]);
const NESTING = new Set(["seq-item-ind", "explicit-key-ind"]);

/** What can be told before parsing, which takes long over many pieces and overflows where they lie deep. */
function passedLimit(text: string): string | undefined {
  let [pieces, brackets, nested] = [0, 0, 0];
  for (const piece of new Lexer().lex(text)) {
    const type = CST.tokenType(piece) ?? "";
    if (OPENING.has(type)) brackets++;
    else if (CLOSING.has(type)) brackets--;
    else if (NESTING.has(type)) nested++;
    else if (type === "newline") nested = 0;
    if (Math.max(brackets, nested) > LIMITS.depth) return TOO_DEEP;
    if (++pieces > LIMITS.pieces)
      return `has more than ${LIMITS.pieces.toLocaleString("en-US")} names, values and signs`;
  }
  return undefined;
}

interface NodeProblem {
  readonly node: unknown;
  readonly message: string;
}

/** Keys that come twice, and limits that are passed; of the latter the first alone. */
function problemsOfNodes(document: Document): NodeProblem[] {
  const problems: NodeProblem[] = [];
  const sizes = new Map<Node, number>();
  const open = new Set<Node>();
  const sizeOf = (node: unknown, depth: number): number => {
    if (!isNode(node)) return 1;
    const known = sizes.get(node);
    if (known !== undefined) return known;
    if (depth > LIMITS.depth) throw new LimitError(node, TOO_DEEP);
    if (open.has(node)) throw new LimitError(node, "an alias stands for a value that holds the alias");
    open.add(node);
    let size = 1;
    if (isAlias(node)) size = sizeOf(node.resolve(document), depth + 1);
    else if (isCollection(node)) {
      if (isMap(node)) problems.push(...keysTwice(node.items));
      for (const item of node.items)
        size += isPair(item)
          ? sizeOf(item.key, depth + 1) + sizeOf(item.value, depth + 1)
          : sizeOf(item, depth + 1);
    }
    if (size > LIMITS.values)
      throw new LimitError(node, `holds more than ${LIMITS.values.toLocaleString("en-US")} values`);
    open.delete(node);
    sizes.set(node, size);
    return size;
  };
  try {
    sizeOf(document.contents, 1);
  } catch (error) {
    if (!(error instanceof LimitError)) throw error;
    return [{ node: error.node, message: error.message }];
  }
  return problems;
}

class LimitError extends Error {
  readonly node: Node;

  constructor(node: Node, message: string) {
    super(message);
    this.node = node;
  }
}

function keysTwice(items: readonly { readonly key: unknown }[]): NodeProblem[] {
  const seen = new Set<string>();
  return items.flatMap(({ key }) => {
    const name = isScalar(key) ? String(key.value) : String(key);
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ node: key, message: `the key ${clipped(name)} comes twice` }];
  });
}
