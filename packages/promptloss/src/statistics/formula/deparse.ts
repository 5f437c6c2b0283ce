// Writes a syntax tree back as text, the way R prints it: `I(w^2)`, `log(x + 1)`. The text is a variable's name and
// its identity: two spellings of one expression are one variable. Also lists the columns that a tree uses.
import type { Node } from "./parse.ts";

const plainName = /^[\p{L}_][\p{L}\p{N}_.]*$/u;

export function deparse(node: Node): string {
  switch (node.type) {
    case "number":
      return String(node.value);
    case "name":
      return plainName.test(node.name) ? node.name : `\`${node.name}\``;
    case "call":
      return `${node.name}(${node.args.map(deparse).join(", ")})`;
    case "group":
      return `(${deparse(node.inner)})`;
    case "sign":
      return `${node.sign}${deparse(node.operand)}`;
    case "binary": {
      const gap = node.operator === "^" || node.operator === ":" || node.operator === "/" ? "" : " ";
      return `${deparse(node.left)}${gap}${node.operator}${gap}${deparse(node.right)}`;
    }
  }
}

/** Names of the columns in an expression. */
export function columnsOf(node: Node): Set<string> {
  switch (node.type) {
    case "number":
      return new Set();
    case "name":
      return new Set([node.name]);
    case "call":
      return new Set(node.args.flatMap((argument) => [...columnsOf(argument)]));
    case "group":
      return columnsOf(node.inner);
    case "sign":
      return columnsOf(node.operand);
    case "binary":
      return new Set([...columnsOf(node.left), ...columnsOf(node.right)]);
  }
}
