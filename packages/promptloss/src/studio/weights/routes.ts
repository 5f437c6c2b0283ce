// What the page on weights asks the server for, below `/studio/api/weights/`: rows as tokens, a recommendation, rows as
// JSON lines for a job, and a recipe.
import type { Context, Hono, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { CONTAINERS } from "../../data/rows/containers/container.ts";
import { EMPTY_COMPLETIONS } from "../../data/rows/index.ts";
import { NAMED_TEMPLATES } from "../../data/templates/index.ts";
import { ServeError } from "../../serve/errors.ts";
import { jsonBody, jsonObject, parseFields } from "../../serve/fields.ts";
import type { JobService } from "../../serve/jobs/service.ts";
import { queryOf } from "../../serve/lists.ts";
import type { ModelShelf } from "../../serve/models.ts";
import type { EngineQueue } from "../../serve/queue.ts";
import { taskGroups } from "../../statistics/index.ts";
import type { JobPlace, LossesAnswer, WeightsSettings } from "./answer.ts";
import { jsonLinesOf } from "./json-lines.ts";
import { measureRows } from "./measure-rows.ts";
import { recipeText } from "./recipe-text.ts";
import { recommendations } from "./recommendations.ts";
import { LOSS_TOKENS, lossesOf } from "./row-losses.ts";
import { TokenizerShelf } from "./tokenizer-shelf.ts";

/** The most bytes of a text of rows, as UTF-8: what is read and tokenized in about a second. */
const TEXT_BYTES = 8 * 1024 * 1024;

/** JSON writes quotes and line ends of a text as two bytes. */
const BODY_BYTES = 2 * TEXT_BYTES + 64 * 1024;

const container = z.enum(CONTAINERS).exclude(["parquet"]);

const ROWS = {
  text: z.string().min(1, { error: "is empty: paste rows, or choose a file" }),
  name: z
    .string()
    .max(255)
    .transform((name) => name.replaceAll(/\p{Cc}/gu, " ").trim() || "pasted rows")
    .default("pasted rows"),
  container: container.optional(),
  emptyCompletions: z.enum(EMPTY_COMPLETIONS).default("skip"),
};

const rowsSchema = z.strictObject(ROWS);

const tokensSchema = z.strictObject({
  ...ROWS,
  tokenizer: z.string(),
  template: z.enum(["auto", "tokenizer", ...Object.keys(NAMED_TEMPLATES)]).default("auto"),
  turns: z.enum(["all", "last"]).default("all"),
});

const lossesSchema = z.strictObject({
  tokenizer: z.string(),
  rows: z.array(z.array(z.int().min(0)).min(1)).min(1),
});

const recommendationQuery = z.strictObject({
  ratio: z.coerce.number().positive().finite(),
  task_group: z.enum(taskGroups).optional(),
  parameters: z.coerce.number().positive().finite().optional(),
  /** The id of a study below the studio's folder. */
  study: z.string().optional(),
});

const recipeSchema = z.strictObject({ recipe: jsonObject });

const WEIGHTS = "/studio/api/weights";

export interface WeightsContext {
  readonly models: ModelShelf;
  readonly service: JobService | undefined;
  /** Refuses large bodies. */
  readonly limited: MiddlewareHandler;
  readonly queue: EngineQueue;
  readonly folder: StudioPlace;
}

/** What of the studio's folder these routes need. */
export interface StudioPlace {
  readonly path: string;
  /** The id of the run whose folder lies there; undefined where there is none below the studio's folder. */
  runAt(path: string): string | undefined;
  study(id: string): { readonly path: string } | undefined;
  studies(): readonly { readonly id: string; readonly name: string }[];
}

export function weightsRoutes(app: Hono, { models, service, limited, queue, folder }: WeightsContext): void {
  const shelf = new TokenizerShelf(models, folder.path);
  const limitedText = bodyLimit({
    maxSize: BODY_BYTES,
    onError: () => {
      throw tooLong();
    },
  });
  app.get(WEIGHTS, (c) =>
    c.json({
      tokenizers: shelf.entries(),
      templates: Object.keys(NAMED_TEMPLATES),
      textBytes: TEXT_BYTES,
      lossTokens: LOSS_TOKENS,
      studies: folder.studies().map(({ id, name }) => ({ id, name })),
      jobs: service !== undefined,
    } satisfies WeightsSettings),
  );
  app.post(`${WEIGHTS}/tokens`, limitedText, async (c) => {
    const { tokenizer: id, ...rows } = await bodyOf(c, tokensSchema);
    const answer = await queue.run(async (signal) => {
      using borrowed = await shelf.borrow(id);
      return measureRows(rows, { ...rows, tokenizer: borrowed.tokenizer, signal });
    }, c.req.raw.signal);
    return c.json(answer);
  });
  app.post(`${WEIGHTS}/lines`, limitedText, async (c) => {
    const rows = await bodyOf(c, rowsSchema);
    const { text } = await queue.run(() => jsonLinesOf(rows, rows), c.req.raw.signal);
    return c.body(text, 200, { "content-type": "application/jsonl; charset=utf-8" });
  });
  app.post(`${WEIGHTS}/losses`, limited, async (c) => {
    const { tokenizer: id, rows } = parseFields(lossesSchema, await jsonBody(c));
    const losses = await queue.run(async (signal) => {
      using borrowed = await shelf.borrow(id);
      if (borrowed.model === undefined)
        throw new ServeError(400, `tokenizer: ${id} has no model that is served`, { param: "tokenizer" });
      return lossesOf(borrowed.model, rows, signal);
    }, c.req.raw.signal);
    return c.json({ losses } satisfies LossesAnswer);
  });
  app.get(`${WEIGHTS}/recommendation`, async (c) => {
    const { ratio, task_group: taskGroup, parameters, study: id } = queryOf(c, recommendationQuery);
    const place = id === undefined ? undefined : folder.study(id);
    if (id !== undefined && place === undefined)
      throw new ServeError(404, `study: there is no study ${id} here`, { param: "study" });
    const question = { taskGroup, parameters, study: place?.path };
    return c.json(await queue.run(() => recommendations(ratio, question), c.req.raw.signal));
  });
  app.get(`${WEIGHTS}/jobs/:id`, (c) => {
    const place = service?.run(c.req.param("id"));
    return c.json({ run: (place && folder.runAt(place)) ?? null } satisfies JobPlace);
  });
  app.post(`${WEIGHTS}/recipe`, limited, async (c) =>
    c.json(recipeText(parseFields(recipeSchema, await jsonBody(c)).recipe)),
  );
}

/** @throws {ServeError} for a body that is none of rows, or a text that is too long */
async function bodyOf<T extends { readonly text: string }>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const body = parseFields(schema, await jsonBody(c));
  if (Buffer.byteLength(body.text) > TEXT_BYTES) throw tooLong();
  return body;
}

function tooLong(): ServeError {
  return new ServeError(413, `text: has more than ${TEXT_BYTES} bytes`, {
    param: "text",
    code: "text_too_long",
    hint: "take a part of the rows; promptloss inspect and preview read files of any size",
  });
}
