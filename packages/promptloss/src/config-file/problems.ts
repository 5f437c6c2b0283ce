// What a schema finds wrong, as problems in words with their lines: what was expected and what was found.
import type { z } from "zod";
import type { ConfigDocument } from "./document.ts";
import { type ConfigFailure, ConfigFileError, type FileProblem } from "./errors.ts";
import { nearestKey } from "./known-keys.ts";
import { clipped } from "./limits.ts";

type Issue = z.core.$ZodIssue;

/** Of one unknown key each; more are counted without a guess. */
const GUESSED = 20;

export type DocumentPlace = Pick<ConfigDocument, "file" | "value" | "lineOf" | "isSet">;

/**
 * Checks a document.
 * @param guesses the schema whose keys are proposed for unknown ones; `schema` where left out
 * @throws {ConfigFileError}, or `failure`, with every problem
 */
export function checkDocument<S extends z.ZodType>(
  document: DocumentPlace,
  schema: S,
  failure: ConfigFailure = ConfigFileError,
  guesses: z.core.$ZodType = schema,
): z.output<S> {
  const parsed = schema.safeParse(document.value);
  if (parsed.success) return parsed.data;
  throw new failure(document.file, problemsOf(parsed.error.issues, document, guesses));
}

/** Problems in words, with the nearest key for an unknown one. */
export function problemsOf(
  issues: readonly Issue[],
  { value, lineOf, isSet }: Omit<DocumentPlace, "file">,
  schema: z.core.$ZodType,
): FileProblem[] {
  let guessed = 0;
  const problem = (path: readonly PropertyKey[], message: string, quick = false): FileProblem => {
    const set = isSet(path);
    return {
      path: path.map((key) => clipped(String(key))).join("."),
      message,
      line: set || quick ? undefined : lineOf(path),
      ...(set && { setBy: "--set" }),
    };
  };
  return issues.flatMap((issue) =>
    flat(issue).flatMap((each) => {
      if (each.code !== "unrecognized_keys")
        return [problem(each.path, wordsOf(each, valueAt(value, each.path)))];
      return each.keys.map((key) => {
        const path = [...each.path, key];
        if (guessed++ >= GUESSED) return problem(path, "there is no such key", true);
        const nearest = nearestKey(each.path, key, schema);
        const guess = nearest === undefined ? "" : `; did you mean ${nearest}?`;
        return problem(path, `there is no such key${guess}`);
      });
    }),
  );
}

/**
 * What a schema finds wrong with a value that is in no file of settings, in words; undefined for nothing.
 * @param name what to call the value itself, where that is wrong and not a key of it
 */
export function faultOf(value: unknown, schema: z.ZodType, name: string): string | undefined {
  const parsed = schema.safeParse(value);
  if (parsed.success) return undefined;
  const document = { value, lineOf: () => undefined, isSet: () => false };
  return problemsOf(parsed.error.issues, document, schema)
    .map(({ path, message }) => `${path === "" ? name : path}: ${message}`)
    .join("; ");
}

/** A union's problems are those of the alternative that the value comes nearest to. */
function flat(issue: Issue, at: readonly PropertyKey[] = []): Issue[] {
  const here = { ...issue, path: [...at, ...issue.path] } as Issue;
  if (here.code !== "invalid_union" || here.errors.length === 0) return [here];
  // An alternative for another kind of value says only that; one that looked inside says what is wrong there.
  const looked = here.errors.filter((issues) => !issues.some(isOfKind));
  if (looked.length !== 1) return [here];
  return looked[0]!.flatMap((each) => flat(each, here.path));
}

function isOfKind({ code, path }: Issue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (holder, key) =>
      typeof holder === "object" && holder !== null && Object.hasOwn(holder, key)
        ? (holder as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "keys with values",
  record: "keys with values",
  null: "null",
};

function kindOf(name: string): string {
  return KINDS[name] ?? name;
}

/** What is wrong with a value, in words. */
export function wordsOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case "invalid_type":
      return expected(kindOf(issue.expected), value);
    case "invalid_value":
      return expected(choiceOf(issue.values.map(String)), value);
    case "invalid_union":
      return expected(alternatives(issue), value);
    case "too_small":
      return tooSmall(issue);
    case "too_big":
      return tooBig(issue);
    case "invalid_key":
    case "invalid_element":
      return issue.issues.map((each) => wordsOf(each, undefined)).join("; ");
    case "invalid_format":
      return issue.message.startsWith("Invalid")
        ? `does not have the form ${issue.format}`
        : `should be ${bare(issue.message)}`;
    default:
      return issue.message;
  }
}

function bare(message: string): string {
  return message.replace(/^expected /, "");
}

function expected(what: string, value: unknown): string {
  return value === undefined ? `is missing; expected ${what}` : `expected ${what}, found ${found(value)}`;
}

/** A value as a message names it. */
export function found(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  switch (typeof value) {
    case "string":
      return `the text ${JSON.stringify(clipped(value))}`;
    case "object":
      return "keys with values";
    case "boolean":
      return String(value);
    default:
      return `the number ${String(value)}`;
  }
}

function choiceOf(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `one of ${names.join(", ")}`;
}

function alternatives(issue: Issue & { code: "invalid_union" }): string {
  if ("options" in issue && Array.isArray(issue.options)) return choiceOf(issue.options.map(String));
  const kinds = issue.errors.map((issues) => {
    const [first] = issues;
    if (first === undefined || first.path.length > 0) return "keys with values";
    if (first.code === "invalid_type") return kindOf(first.expected);
    if (first.code === "invalid_value") return choiceOf(first.values.map(String));
    if (first.code === "invalid_union") return alternatives(first);
    if (first.code === "too_small" || first.code === "too_big")
      return `${kindOf(first.origin)} that ${wordsOf(first, undefined)}`;
    if (first.code === "unrecognized_keys") return "other keys";
    return wordsOf(first, undefined);
  });
  const once = [...new Set(kinds)];
  return once.length < 2 ? once.join("") : `${once.slice(0, -1).join(", ")} or ${once.at(-1)}`;
}

function amount(value: number | bigint): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 15 });
}

function tooSmall({ origin, minimum, inclusive }: Issue & { code: "too_small" }): string {
  if (origin === "string")
    return minimum === 1 ? "should not be empty" : `needs ${amount(minimum)} characters or more`;
  if (origin === "array" || origin === "object") return `needs ${amount(minimum)} or more`;
  return inclusive ? `should be ${amount(minimum)} or more` : `should be above ${amount(minimum)}`;
}

function tooBig({ origin, maximum, inclusive }: Issue & { code: "too_big" }): string {
  if (origin === "string") return `takes at most ${amount(maximum)} characters`;
  if (origin === "array" || origin === "object") return `takes at most ${amount(maximum)}`;
  return inclusive ? `should be ${amount(maximum)} or less` : `should be below ${amount(maximum)}`;
}
