// Lists as OpenAI gives them: pages that begin behind an object, named by its id.
import type { Context } from "hono";
import { z } from "zod";
import { ServeError } from "./errors.ts";
import { parseFields } from "./fields.ts";

export interface ListPage<T> {
  readonly object: "list";
  readonly data: readonly T[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

export interface PageFields {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** Query fields of every list. */
export function pageFields(most: number) {
  return { after: z.string().optional(), limit: z.coerce.number().int().min(1).max(most).optional() };
}

/** The query of a request. @throws {ServeError} naming a field that is not known */
export function queryOf<T>(c: Context, schema: z.ZodType<T>): T {
  return parseFields(schema, c.req.query());
}

/**
 * @param all in the order of the list
 * @throws {ServeError} 400 where `after` names none of them
 */
export function pageOf<T extends { readonly id: string }>(
  all: readonly T[],
  { after, limit }: PageFields,
  fallback: number,
): ListPage<T> {
  const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && from === 0)
    throw new ServeError(400, `after: there is no ${after} in this list`, { param: "after" });
  const data = all.slice(from, from + (limit ?? fallback));
  return {
    object: "list",
    data,
    has_more: from + data.length < all.length,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}
