// The row's fields that a Jinja template needs, from its syntax tree: names that are free, so no variables of loops,
// of `set` and of macros, and no names of Jinja's own.
import type { Template } from "@huggingface/jinja";

type Node = Template["parsed"]["body"][number];

export interface TemplateFields {
  /** Names that the template reads from the row, in order. */
  readonly needed: readonly string[];
  /** Of these, those that it prints as they stand: `{{name}}`. */
  readonly printed: readonly string[];
}

/** Names that Jinja brings along. */
const BUILT_IN = new Set([
  ..."true false none True False None range namespace raise_exception strftime_now caller".split(" "),
]);

/** Tests and filters that are there for fields that may be missing. */
const TOLERANT = new Set(["defined", "undefined", "none", "default", "d"]);

/** @param template parsed */
export function templateFields({ parsed }: Pick<Template, "parsed">): TemplateFields {
  const walker = new Walker();
  walker.statements(parsed.body, new Set(BUILT_IN));
  return {
    needed: [...walker.needed].filter((name) => !walker.tolerated.has(name)),
    printed: [...walker.printed].filter((name) => !walker.tolerated.has(name)),
  };
}

class Walker {
  readonly needed = new Set<string>();
  readonly printed = new Set<string>();
  /** Asked whether they are there, or given a default. */
  readonly tolerated = new Set<string>();

  /** @param bound names that are no fields; `set` adds to them */
  statements(nodes: readonly Node[], bound: Set<string>): void {
    for (const node of nodes) this.statement(node, bound);
  }

  statement(node: Node, bound: Set<string>): void {
    const of = node as unknown as Record<string, Node & Node[]>;
    switch (node.type) {
      case "For": {
        this.expression(of.iterable!, bound);
        const inner = new Set([...bound, "loop", ...namesIn(of.loopvar!)]);
        // `for x in xs if test` keeps its test with what is looped over, and the test may name x.
        this.statements(of.body!, inner);
        this.statements(of.defaultBlock!, new Set(bound));
        return;
      }
      case "Set": {
        if (of.value) this.expression(of.value, bound);
        this.statements(of.body!, new Set(bound));
        // An attribute of a namespace binds nothing new.
        if ((of.assignee as Node).type === "MemberExpression") this.expression(of.assignee!, bound);
        else for (const name of namesIn(of.assignee!)) bound.add(name);
        return;
      }
      case "Macro": {
        for (const name of namesIn(of.name!)) bound.add(name);
        this.statements(of.body!, new Set([...bound, ...of.args!.flatMap(namesIn)]));
        return;
      }
      case "CallStatement": {
        this.expression(of.call!, bound);
        const given = (of.callerArgs ?? []) as Node[];
        this.statements(of.body!, new Set([...bound, ...given.flatMap(namesIn)]));
        return;
      }
      case "If":
        this.#tolerateTested(of.test!);
        this.expression(of.test!, bound);
        // As in Jinja, what a branch sets is set behind it too.
        this.statements(of.body!, bound);
        this.statements(of.alternate!, bound);
        return;
      case "Identifier":
        this.print(node, bound);
        return;
      default:
        this.expression(node, bound);
    }
  }

  print(node: Node, bound: ReadonlySet<string>): void {
    for (const name of namesIn(node)) if (!bound.has(name)) this.printed.add(name);
    this.expression(node, bound);
  }

  expression(node: Node, bound: ReadonlySet<string>): void {
    const of = node as unknown as Record<string, Node>;
    switch (node.type) {
      case "Identifier":
        for (const name of namesIn(node)) if (!bound.has(name)) this.needed.add(name);
        return;
      case "MemberExpression":
        this.expression(of.object!, bound);
        if (of.computed as unknown) this.expression(of.property!, bound);
        return;
      case "Ternary":
        this.#tolerateTested(of.condition!);
        for (const child of childrenOf(node)) this.expression(child, bound);
        return;
      case "TestExpression":
        this.#tolerate(of.operand!, of.test!);
        this.expression(of.operand!, bound);
        return;
      case "FilterExpression":
        this.#tolerate(of.operand!, of.filter!);
        this.expression(of.operand!, bound);
        this.#argumentsOf(of.filter!, bound);
        return;
      case "FilterStatement":
        this.#argumentsOf(of.filter!, bound);
        this.statements(of.body as unknown as Node[], new Set(bound));
        return;
      case "KeywordArgumentExpression":
        this.expression(of.value!, bound);
        return;
      case "SelectExpression":
        // `xs if test` of a loop, whose variables the test may name.
        this.expression(of.lhs!, bound);
        return;
      default:
        for (const child of childrenOf(node)) this.expression(child, bound);
    }
  }

  /** A filter's or a test's own name is no field; what it is called with may be. */
  #argumentsOf(filter: Node, bound: ReadonlySet<string>): void {
    if (filter.type !== "CallExpression") return;
    for (const each of (filter as unknown as { args: Node[] }).args) this.expression(each, bound);
  }

  /** `{% if hint %}` asks whether the row has one. */
  #tolerateTested(condition: Node): void {
    const of = condition as unknown as Record<string, Node>;
    if (condition.type === "Identifier") for (const name of namesIn(condition)) this.tolerated.add(name);
    const operator = (of.operator as { value?: string } | undefined)?.value;
    if (operator === "not") this.#tolerateTested(of.argument!);
    if (operator === "and" || operator === "or")
      for (const side of [of.left!, of.right!]) this.#tolerateTested(side);
  }

  #tolerate(operand: Node, by: Node): void {
    const named = by.type === "CallExpression" ? (by as unknown as { callee: Node }).callee : by;
    if (operand.type === "Identifier" && namesIn(named).some((name) => TOLERANT.has(name)))
      for (const name of namesIn(operand)) this.tolerated.add(name);
  }
}

/** Names that a loop, `set` or a macro's parameter binds. */
function namesIn(node: Node): string[] {
  if (node.type === "Identifier") return [(node as unknown as { value: string }).value];
  if (node.type === "KeywordArgumentExpression") return namesIn((node as unknown as { key: Node }).key);
  return node.type === "TupleLiteral" ? (node as unknown as { value: Node[] }).value.flatMap(namesIn) : [];
}

/** All nodes below one, wherever its fields hold them: singly, in lists, or in an object literal's map. */
function childrenOf(node: Node): Node[] {
  return Object.entries(node).flatMap(([key, value]) => {
    // An operator is a token, whose type is no syntax.
    if (key === "operator") return [];
    return value instanceof Map ? [...value].flat().filter(isNode) : [value].flat().filter(isNode);
  });
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}
