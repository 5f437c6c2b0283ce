// A row's texts: Jinja templates, which a task renders for every row, and paths that lead to a row's fields.
import { Template } from "@huggingface/jinja";

export type Row = Readonly<Record<string, unknown>>;

/** A template or path that a row does not fill. */
export class RowProblem extends Error {}

const templates = new Map<string, Template>();

/** Jinja drops a newline at the end of a template; something empty behind it keeps it. */
const compiled = (text: string): Template => {
  const found = templates.get(text) ?? new Template(`${text}{{''}}`);
  templates.set(text, found);
  return found;
};

const FIELD = /\{\{-?\s*\(*\s*([A-Za-z_]\w*)/g;

/** @throws {RowProblem} for a field that the row does not have */
export const render = (text: string, row: Row): string => {
  if (!text.includes("{")) return text;
  for (const [, field] of text.matchAll(FIELD))
    if (row[field!] === undefined) throw new RowProblem(`there is no field ${field}`);
  try {
    return compiled(text).render({ ...row });
  } catch (cause) {
    throw new RowProblem(`the template ${JSON.stringify(text)} fails: ${(cause as Error).message}`);
  }
};

/** @throws {RowProblem} where the path leads nowhere */
export const valueAt = (path: string, row: Row): unknown => {
  let value: unknown = row;
  for (const key of path.split(".")) {
    value = typeof value === "object" && value !== null ? (value as Row)[key] : undefined;
    if (value === undefined) throw new RowProblem(`there is no field ${path}`);
  }
  return value;
};

/** @throws {RowProblem} where the path leads to no list of texts */
export const textsAt = (path: string, row: Row): string[] => {
  const value = valueAt(path, row);
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw new RowProblem(`${path} is no list of texts`);
};

/** A path to a list of texts, or a template for each. */
export const listOf = (list: string | readonly string[], row: Row): string[] =>
  typeof list === "string" ? textsAt(list, row) : list.map((text) => render(text, row));
