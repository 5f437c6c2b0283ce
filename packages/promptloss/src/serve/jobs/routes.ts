// /v1/fine_tuning/jobs: create, list, retrieve, cancel, pause, resume, events, checkpoints.
import { randomInt } from "node:crypto";
import type { Context, Hono, MiddlewareHandler } from "hono";
import { z } from "zod";
import { readExamples } from "../../data/rows/index.ts";
import type { StepEvent } from "../../training/events/event.ts";
import { ServeError } from "../errors.ts";
import { eventStream } from "../event-stream.ts";
import { jsonBody, jsonObject, neutral, parseFields } from "../fields.ts";
import type { FileStore } from "../files/file-store.ts";
import { newId, now } from "../ids.ts";
import { pageFields, pageOf, queryOf } from "../lists.ts";
import type { ModelShelf } from "../models.ts";
import { hasEnded, type JobEvent, type JobRecord, jobObject } from "./job.ts";
import {
  hyperparametersSchema,
  jobRecipe,
  type hyperparametersSchema as Schema,
  withAutos,
} from "./job-recipe.ts";
import type { JobRunner } from "./job-runner.ts";
import type { JobStore } from "./job-store.ts";

const createSchema = z.strictObject({
  model: z.string(),
  training_file: z.string(),
  validation_file: z.string().nullish(),
  hyperparameters: hyperparametersSchema.nullish(),
  method: z
    .strictObject({
      type: z.literal("supervised", { error: 'is not supported other than as "supervised"' }),
      supervised: z.strictObject({ hyperparameters: hyperparametersSchema.optional() }).optional(),
    })
    .nullish(),
  suffix: z
    .string()
    .regex(/^[\w-]{1,64}$/, { error: "letters, digits, - and _ were expected, 64 at most" })
    .nullish(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .nullish(),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
  integrations: neutral([]),
  // Not OpenAI's: keys of a recipe, as docs/keys.md lists them.
  recipe: jsonObject.nullish(),
});

/** Pairs that a job's metadata may have, as with OpenAI. */
const METADATA = 16;

const listQuery = z.strictObject(pageFields(100));
const eventsQuery = z.strictObject({ ...pageFields(1000), stream: z.enum(["true", "false"]).optional() });

export interface JobRoutesOptions {
  readonly store: JobStore;
  readonly runner: JobRunner;
  readonly files: FileStore;
  readonly models: ModelShelf;
  readonly limited: MiddlewareHandler;
  readonly checkDisk: (bytes: number) => void;
}

const JOBS = "/v1/fine_tuning/jobs";

export function jobRoutes(app: Hono, options: JobRoutesOptions): void {
  const { store, runner, limited } = options;
  const acted = (act: (id: string) => JobRecord) => (c: Context) =>
    c.json(jobObject(act(c.req.param("id")!)));
  app.post(JOBS, limited, async (c) => c.json(jobObject(await created(await jsonBody(c), options))));
  app.get(JOBS, (c) => {
    const page = pageOf(store.list(), queryOf(c, listQuery), 20);
    return c.json({ ...page, data: page.data.map(jobObject) });
  });
  app.get(
    `${JOBS}/:id`,
    acted((id) => store.get(id)),
  );
  app.post(
    `${JOBS}/:id/cancel`,
    acted((id) => runner.cancel(id)),
  );
  app.post(
    `${JOBS}/:id/pause`,
    acted((id) => runner.pause(id)),
  );
  app.post(
    `${JOBS}/:id/resume`,
    acted((id) => runner.resume(id)),
  );
  app.get(`${JOBS}/:id/events`, (c) => {
    const { stream: live, ...page } = queryOf(c, eventsQuery);
    const { id } = store.get(c.req.param("id"));
    if (live === "true") return streamed(c, id, page.after, store);
    return c.json(pageOf(store.events(id).all().reverse(), page, 20));
  });
  app.get(`${JOBS}/:id/checkpoints`, (c) => {
    const job = store.get(c.req.param("id"));
    return c.json(pageOf(checkpointsOf(job, store), queryOf(c, listQuery), 10));
  });
}

/** @throws {ServeError} for a job that can't be */
async function created(
  body: unknown,
  { store, runner, files, models, checkDisk }: JobRoutesOptions,
): Promise<JobRecord> {
  const fields = parseFields(createSchema, body);
  if (Object.keys(fields.metadata ?? {}).length > METADATA)
    throw new ServeError(400, `metadata: has more than ${METADATA} keys`, { param: "metadata" });
  const base = models.base(fields.model);
  const training = fileOf(files, fields.training_file, "training_file");
  const validation =
    typeof fields.validation_file === "string"
      ? fileOf(files, fields.validation_file, "validation_file")
      : undefined;
  checkDisk(0);
  runner.checkRoom();
  const id = newId("ftjob");
  const job: JobRecord = {
    id,
    created_at: now(),
    status: "queued",
    model: fields.model,
    training_file: fields.training_file,
    validation_file: fields.validation_file ?? null,
    hyperparameters: withAutos(
      hyperparametersOf(fields.method?.supervised?.hyperparameters, fields.hyperparameters),
    ),
    suffix: fields.suffix ?? null,
    seed: fields.seed ?? randomInt(2 ** 31 - 1),
    metadata: fields.metadata ?? null,
    recipe: fields.recipe ?? null,
    finished_at: null,
    error: null,
    fine_tuned_model: null,
    trained_tokens: null,
  };
  const recipe = jobRecipe(job, {
    model: base.folder,
    training,
    validation,
    output: store.run(id),
    template: base.generator.tokenizer.chatTemplate === undefined ? "chatml" : "tokenizer",
    rows: await rowsOf(training),
  });
  store.add(job, recipe);
  store.events(id).add({ message: `Created fine-tuning job: ${id}`, data: { status: "queued" } });
  runner.added();
  return store.get(id);
}

function fileOf(files: FileStore, id: string, param: string): string {
  try {
    return files.contentPath(id);
  } catch (error) {
    if (!(error instanceof ServeError)) throw error;
    throw new ServeError(400, `${param}: ${error.message}`, { param, code: "file_not_found", cause: error });
  }
}

type Given = z.infer<typeof Schema>;

/** @throws {ServeError} where both places say something and differ */
function hyperparametersOf(method: Given | undefined, legacy: Given | null | undefined): Given {
  for (const [key, value] of Object.entries(method ?? {}) as [keyof Given, unknown][])
    if (legacy?.[key] !== undefined && legacy[key] !== value)
      throw new ServeError(
        400,
        `hyperparameters.${key}: differs from method.supervised.hyperparameters.${key}`,
        {
          param: `hyperparameters.${key}`,
          hint: "give one of the two",
        },
      );
  return { ...legacy, ...method };
}

async function rowsOf(path: string): Promise<number> {
  let rows = 0;
  for await (const _ of readExamples({ path, container: "jsonl" })) rows++;
  return rows;
}

/** Server-sent events: those there are, those that come, and the end when the job has ended. */
function streamed(c: Context, id: string, after: string | undefined, store: JobStore): Response {
  const events = store.events(id);
  const before = events.all();
  const from = after === undefined ? 0 : before.findIndex((event) => event.id === after) + 1;
  if (after !== undefined && from === 0)
    throw new ServeError(400, `after: there is no ${after} in this list`, { param: "after" });
  return eventStream(c, async (out) => {
    const waiting = before.slice(from);
    let wake = (): void => {};
    const unlisten = events.listen((event) => {
      waiting.push(event);
      wake();
    });
    out.onAbort(() => wake());
    try {
      while (!out.aborted) {
        const event = waiting.shift();
        if (event !== undefined) await out.write(eventText(event));
        else if (hasEnded(store.get(id))) break;
        else
          await new Promise<void>((resolve) => {
            const beat = setTimeout(resolve, BEAT_MS);
            wake = () => {
              clearTimeout(beat);
              resolve();
            };
          });
        if (event === undefined && waiting.length === 0) await out.write(": \n\n");
      }
      if (!out.aborted) await out.write("data: [DONE]\n\n");
    } finally {
      unlisten();
    }
  });
}

/** Between signs of life, by which proxies and clients tell a quiet stream from a dead one. */
const BEAT_MS = 15_000;

function eventText(event: JobEvent): string {
  return `id: ${event.id}\ndata: ${JSON.stringify(event)}\n\n`;
}

interface JobCheckpoint {
  readonly id: string;
  readonly [key: string]: unknown;
}

/** Those on the disk, the newest first, with the numbers of their steps. */
function checkpointsOf(job: JobRecord, store: JobStore): JobCheckpoint[] {
  const told = store.events(job.id).all();
  return store.checkpointSteps(job.id).map((step) => {
    const at = told.filter(({ type, data }) => type === "metrics" && data.step === step);
    const metrics = Object.assign({}, ...at.map(({ data: { event: _, ...numbers } }) => numbers));
    return {
      id: `ftckpt-${job.id.slice("ftjob-".length)}-${step}`,
      object: "fine_tuning.job.checkpoint",
      created_at: told.find(({ data }) => isCheckpointOf(data.event, step))?.created_at ?? job.created_at,
      fine_tuning_job_id: job.id,
      step_number: step,
      metrics: { step, ...metrics },
      // A checkpoint is what training goes on from; what is served is the model at the end.
      fine_tuned_model_checkpoint: null,
    };
  });
}

function isCheckpointOf(event: unknown, step: number): boolean {
  const { type, step: at } = (event ?? {}) as Partial<Pick<StepEvent, "step">> & { type?: string };
  return type === "checkpoint" && at === step;
}
