// JSON of results. A number that is not finite would be written as null and read as "nothing", so it is an error.
import { PromptlossError } from "./errors.ts";
import { harmlessJson } from "./terminal/index.ts";

/**
 * JSON text of a result.
 * @param what names the result in the error
 * @throws {PromptlossError} where a number is NaN or infinite, with its path
 */
export function finiteJson(value: unknown, what: string, indent?: number): string {
  const path = notFinite(value, "");
  if (path !== undefined)
    throw new PromptlossError(`${what}: ${path[0]} is ${path[1]}`, {
      hint: "a result that is not a finite number comes of a model or a row that is damaged",
    });
  return harmlessJson(value, indent);
}

function notFinite(value: unknown, path: string): [string, number] | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : [path || "the value", value];
  if (typeof value !== "object" || value === null) return undefined;
  for (const [key, each] of Object.entries(value)) {
    const found = notFinite(each, path === "" ? key : `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}
