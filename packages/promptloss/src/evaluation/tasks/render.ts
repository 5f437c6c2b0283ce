// A row's texts: Jinja templates, whose work is bounded and which a task renders for every row, and paths that lead to a row's fields.
import { BoundedJinja } from "../../data/templates/bounded-jinja.ts";
import { type TemplateFields, templateFields } from "./template-fields.ts";

export type Row = Readonly<Record<string, unknown>>;

/** A template or path that a row does not fill. */
export class RowProblem extends Error {}

interface Compiled extends TemplateFields {
  readonly template: BoundedJinja;
}

const templates = new Map<string, Compiled>();

function failed(text: string, cause: unknown): RowProblem {
  return new RowProblem(`the template ${JSON.stringify(text)} fails: ${(cause as Error).message}`);
}

/** Jinja drops a newline at the end of a template; something empty behind it keeps it. */
function compiled(text: string): Compiled {
  const known = templates.get(text);
  if (known !== undefined) return known;
  try {
    const template = new BoundedJinja(`${text}{{''}}`);
    const made = { template, ...templateFields(template) };
    templates.set(text, made);
    return made;
  } catch (cause) {
    throw failed(text, cause);
  }
}

/** @throws {RowProblem} for a field that the row does not have, and for one that is null and would be printed */
export function render(text: string, row: Row): string {
  if (!text.includes("{")) return text;
  const { template, needed, printed } = compiled(text);
  const missing = needed.find((field) => row[field] === undefined);
  if (missing !== undefined) throw new RowProblem(`there is no field ${missing}`);
  const empty = printed.find((field) => row[field] === null);
  if (empty !== undefined) throw new RowProblem(`the field ${empty} is null`);
  try {
    return template.render({ ...row });
  } catch (cause) {
    throw failed(text, cause);
  }
}

/** @throws {RowProblem} where the path leads nowhere */
export function valueAt(path: string, row: Row): unknown {
  let value: unknown = row;
  for (const key of path.split(".")) {
    value = typeof value === "object" && value !== null ? (value as Row)[key] : undefined;
    if (value === undefined) throw new RowProblem(`there is no field ${path}`);
  }
  return value;
}

/** @throws {RowProblem} where the path leads to no list of texts */
export function textsAt(path: string, row: Row): string[] {
  const value = valueAt(path, row);
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new RowProblem(`${path} is no list of texts`);
}

/** A path to a list of texts, or a template for each. */
export function listOf(list: string | readonly string[], row: Row): string[] {
  return typeof list === "string" ? textsAt(list, row) : list.map((text) => render(text, row));
}
