// Reading a row's fields with errors that say what was expected. Names are the format's; the columns they stand
// in are mapped. Null and undefined are both "not there": Parquet and pandas write null for a missing value.

import { kindOf, parseJson } from "../containers/json-text.ts";
import { RowProblem } from "../data-error.ts";
import { keepSource } from "../json-source.ts";
import { nameList } from "../nearest-name.ts";
import { BrokenText } from "../raw-row.ts";

/** One row, by the format's field names. */
export class RowFields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #columnOf: ReadonlyMap<string, string | null>;
  /** Whether a completion may be empty: nothing to learn but to stop. */
  readonly keepsEmpty: boolean;

  constructor(
    value: Readonly<Record<string, unknown>>,
    columnOf: ReadonlyMap<string, string | null>,
    keepsEmpty = false,
  ) {
    this.#value = value;
    this.#columnOf = columnOf;
    this.keepsEmpty = keepsEmpty;
  }

  /** The field's value, or undefined where the row doesn't have it. */
  get(field: string): unknown {
    const column = this.column(field);
    return column === null || !Object.hasOwn(this.#value, column)
      ? undefined
      : (this.#value[column] ?? undefined);
  }

  /** The field's value, or a RowProblem that lists what the row has. */
  require(field: string): unknown {
    const value = this.get(field);
    if (value !== undefined) return value;
    const column = this.column(field) ?? field;
    const isNull = Object.hasOwn(this.#value, column);
    throw new RowProblem("missing-field", isNull ? "the field is null" : "the row lacks this field", {
      field: column,
      hint: `The row has: ${nameList(Object.keys(this.#value))}.`,
    });
  }

  text(field: string): string {
    return asText(this.require(field), this.column(field) ?? field);
  }

  optionalText(field: string): string | undefined {
    const value = this.get(field);
    return value === undefined ? undefined : asText(value, this.column(field) ?? field);
  }

  /** A list; from CSV, where cells are text, a list in JSON. */
  list(field: string): readonly unknown[] {
    const value = this.require(field);
    const column = this.column(field) ?? field;
    const list =
      typeof value === "string" && value.trimStart().startsWith("[") ? jsonOf(value, column) : value;
    if (Array.isArray(list)) return list;
    if (ArrayBuffer.isView(list) && !(list instanceof DataView)) return Array.from(list as Int32Array);
    throw wrongType("a list", list, column);
  }

  /** The value, with a text that holds a JSON list or object read as that. */
  json(field: string): unknown {
    const value = this.get(field);
    return typeof value === "string" && /^\s*[[{]/.test(value)
      ? jsonOf(value, this.column(field) ?? field)
      : value;
  }

  optionalList(field: string): readonly unknown[] | undefined {
    return this.get(field) === undefined ? undefined : this.list(field);
  }

  /** A weight: a finite number, 0 or more. A blank CSV cell is none. */
  weight(field: string): number | undefined {
    const value = this.get(field);
    if (value === undefined || (typeof value === "string" && value.trim() === "")) return undefined;
    const number = typeof value === "string" ? Number(value) : value;
    return asWeight(Number.isNaN(number) ? value : number, this.column(field) ?? field);
  }

  /** A group's name: a text, or a number as its text. A blank CSV cell is none. */
  group(field: string): string | undefined {
    const value = this.get(field);
    if (value === undefined || (typeof value === "string" && value.trim() === "")) return undefined;
    if (typeof value === "bigint" || (typeof value === "number" && isExact(value))) return String(value);
    const column = this.column(field) ?? field;
    if (typeof value === "string") return asText(value, column);
    throw new RowProblem(
      "wrong-type",
      `a group is a text or a number that JSON holds exactly; found ${kindOf(value)}`,
      {
        field: column,
        hint: "Write long numbers as text; a column that means something else is left out with columns: { group: null }.",
      },
    );
  }

  /** The column that the field stands in; null where the mapping leaves it out. */
  column(field: string): string | null {
    const column = this.#columnOf.get(field);
    return column === undefined ? field : column;
  }
}

/** JSON's integers beyond 2⁵³ come rounded: two of them may have become one. */
function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

/** The value of a JSON text, whose spelling is kept. @throws {RowProblem} */
export function jsonOf(text: string, field: string): unknown {
  try {
    const value = parseJson(text);
    keepSource(text, value);
    return value;
  } catch (error) {
    const { reason, message } = error as RowProblem;
    throw new RowProblem(reason, `the text is ${message}`, { field });
  }
}

export function asText(value: unknown, field: string): string {
  if (value instanceof BrokenText) {
    throw new RowProblem("invalid-utf8", `not UTF-8 at byte ${value.offset} of the field`, { field });
  }
  if (typeof value !== "string") throw wrongType("text", value, field);
  if (!isWellFormed(value)) {
    throw new RowProblem("invalid-utf8", "half of a surrogate pair, which no UTF-8 text can hold", {
      field,
      hint: "Was the text cut inside an emoji?",
    });
  }
  return value;
}

// In Node 20 and in ECMAScript 2024, whose library this project's compiler settings don't name.
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

export function asWeight(value: unknown, field: string): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number === "number" && Number.isFinite(number) && number >= 0) return number;
  const found = typeof number === "number" ? String(number) : kindOf(value);
  throw new RowProblem("invalid-weight", `a weight is a finite number, 0 or more; found ${found}`, { field });
}

export function wrongType(expected: string, value: unknown, field: string): RowProblem {
  return new RowProblem("wrong-type", `${expected} was expected, found ${kindOf(value)}`, { field });
}

export function isBlankText(text: string): boolean {
  return text.trim() === "";
}

/** Refuses a completion with nothing to learn in it, unless such are kept. */
export function checkCompletion(text: string, field: string, row: RowFields): string {
  if (row.keepsEmpty || !isBlankText(text)) return text;
  const what = text === "" ? "the completion is empty" : "the completion is only white space";
  throw new RowProblem("empty-completion", what, {
    field,
    hint: 'Leave out and count such rows with emptyCompletions: "skip", or train them to stop at once with "keep".',
  });
}
