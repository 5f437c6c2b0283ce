// Fields that requests for completions and for chat completions have in common. What this engine can't do is refused,
// except at the value at which it does nothing.
import { randomInt } from "node:crypto";
import type { Context } from "hono";
import { z } from "zod";
import type { TextGenerationOptions } from "../generation/index.ts";
import { ServeError } from "./errors.ts";
import type { ServeLimits } from "./limits.ts";

/** A field of OpenAI's that has no counterpart here: fine at its neutral values. */
export function neutral(...values: readonly unknown[]) {
  return z
    .custom<unknown>(
      (value) => value === null || values.some((each) => JSON.stringify(each) === JSON.stringify(value)),
      {
        error: () =>
          `is not supported${values.length === 0 ? "" : ` other than as ${values.map((each) => JSON.stringify(each)).join(" or ")}`}`,
      },
    )
    .optional();
}

/** Levels that JSON of a request may be nested in, where it is walked. */
const DEEPEST = 100;

/** An object of any keys, not too deep for those who walk it. */
export const jsonObject = z
  .record(z.string(), z.unknown())
  .refine((value) => isShallow(value), { error: `is nested more than ${DEEPEST} levels deep` });

function isShallow(value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > DEEPEST) return false;
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return true;
}

const stopText = z.string().min(1);

export const SHARED_FIELDS = {
  model: z.string(),
  max_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().gt(0).max(1).nullish(),
  n: z.int().min(1).nullish(),
  stop: z.union([stopText, z.array(stopText).max(16)]).nullish(),
  seed: z.int().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional() }).nullish(),
  // Not OpenAI's; named as in other open servers.
  top_k: z.int().min(0).optional(),
  min_tokens: z.int().min(0).optional(),
  repetition_penalty: z.number().positive().optional(),
  // Labels: they ask for nothing.
  user: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  service_tier: z.string().nullish(),
  presence_penalty: neutral(0),
  frequency_penalty: neutral(0),
  logit_bias: neutral({}),
};

type Shared = z.infer<z.ZodObject<typeof SHARED_FIELDS>>;

/** Seeds of requests that give none; generation takes whole numbers. */
const SEEDS = 2 ** 31;

/** The library's options of the shared fields. Without a temperature, tokens are drawn at 1, as OpenAI does. */
export function sharedOptions(
  fields: Shared,
  maxNewTokens: number,
  defaultTemperature: number,
): TextGenerationOptions {
  const { temperature, top_p, n, stop, seed, top_k, min_tokens, repetition_penalty } = fields;
  const given = {
    maxNewTokens,
    temperature: temperature ?? defaultTemperature,
    topP: top_p ?? undefined,
    sequences: n ?? undefined,
    stop: stop ?? undefined,
    seed: seed ?? randomInt(SEEDS),
    topK: top_k,
    minNewTokens: min_tokens,
    repetitionPenalty: repetition_penalty,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/**
 * @param fallback where the request says nothing
 * @throws {ServeError} for more than the server gives
 */
export function newTokens(asked: number | null | undefined, fallback: number, limits: ServeLimits): number {
  if (asked !== null && asked !== undefined && asked > limits.tokens)
    throw new ServeError(
      400,
      `max_tokens: ${asked} is more than the ${limits.tokens} that this server gives`,
      {
        param: "max_tokens",
      },
    );
  return Math.min(asked ?? fallback, limits.tokens);
}

/** @throws {ServeError} for what is not JSON. Browsers send no JSON to other sites unasked, so its type is required. */
export async function jsonBody(c: Context): Promise<unknown> {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json\b/i.test(type))
    throw new ServeError(415, `the body's type is ${type === "" ? "missing" : type}`, {
      hint: "send content-type: application/json",
    });
  const text = await c.req.text();
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ServeError(400, `the body is not JSON: ${(cause as Error).message}`, { cause });
  }
}

/** @throws {ServeError} naming the first field that does not fit */
export function parseFields<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.code === "unrecognized_keys")
    throw new ServeError(400, `unrecognized request argument: ${issue.keys.join(", ")}`, {
      param: [...issue.path, issue.keys[0]!].join("."),
    });
  const path = issue!.path.join(".");
  const missing =
    issue!.code === "invalid_type" && issue!.path.length > 0 && valueAt(body, issue!.path) === undefined;
  throw new ServeError(
    400,
    `${path === "" ? "the body" : path}: ${missing ? "is missing" : issue!.message}`,
    {
      ...(path !== "" && { param: path }),
    },
  );
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key], value);
}

/** @throws {ServeError} where a request asks for more completions at once than the server makes */
export function checkCompletions(prompts: number, n: number, limits: ServeLimits): void {
  if (prompts * n > limits.completions)
    throw new ServeError(
      400,
      `prompts (${prompts}) times n (${n}) are ${prompts * n} completions, and this server makes ${limits.completions} at once`,
      { param: prompts > 1 ? "prompt" : "n" },
    );
}
