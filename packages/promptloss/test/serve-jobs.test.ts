// Files, and fine-tuning jobs that are refused, as OpenAI's own client meets them. Jobs that train: serve-training.test.ts.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import OpenAI, { APIError, toFile } from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TextGenerator } from "../src/generation/index.ts";
import { type ModelServer, type ServeOptions, serveModel } from "../src/serve/index.ts";
import { tinyFolder } from "./tiny-folder.ts";
import { TINY_BYTES } from "./tokenizers.ts";

const folder = tinyFolder(TINY_BYTES);
const place = mkdtempSync(join(tmpdir(), "promptloss-jobs-"));
let generator: TextGenerator;
const servers = new Set<ModelServer>();

async function start(name: string, options: Partial<ServeOptions> = {}) {
  const server = await serveModel(generator, {
    model: "tiny",
    folder,
    port: 0,
    jobs: join(place, name),
    ...options,
  });
  servers.add(server);
  const client = new OpenAI({ baseURL: server.url, apiKey: "none", maxRetries: 0 });
  const close = async (): Promise<void> => {
    servers.delete(server);
    await server.close(0);
  };
  return { client, close };
}

beforeAll(async () => {
  generator = await TextGenerator.load(folder);
});
afterAll(async () => {
  for (const server of servers) await server.close(0);
  generator.free();
  rmSync(dirname(folder), { recursive: true });
  rmSync(place, { recursive: true });
});

function row(question: string, completion: string) {
  return {
    messages: [
      { role: "user", content: question },
      { role: "assistant", content: completion },
    ],
  };
}

function lines(rows: readonly unknown[]): string {
  return rows.map((each) => `${JSON.stringify(each)}\n`).join("");
}

const ROWS = lines(Array.from({ length: 8 }, (_, i) => row(`question ${i}`, `the dog ${i}`)));

async function upload(client: OpenAI, content = ROWS) {
  return client.files.create({
    file: await toFile(Buffer.from(content), "rows.jsonl"),
    purpose: "fine-tune",
  });
}

async function errorOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof APIError)) throw error ?? new Error("it did not fail");
  return `${error.status} ${error.param ?? error.code}: ${error.message.replace(/^\d+ /, "")}`;
}

describe("files", () => {
  test("are kept, listed, given back and deleted", async () => {
    const { client } = await start("files", { limits: { files: 2 } });
    const file = await upload(client);
    expect(file).toMatchObject({
      object: "file",
      bytes: ROWS.length,
      filename: "rows.jsonl",
      status: "processed",
    });
    expect(await client.files.retrieve(file.id)).toEqual(file);
    expect(await (await client.files.content(file.id)).text()).toBe(ROWS);
    const second = await upload(client);
    const listed = [];
    for await (const each of client.files.list({ order: "asc", limit: 1 })) listed.push(each.id);
    expect(new Set(listed)).toEqual(new Set([file.id, second.id]));
    expect(await errorOf(upload(client))).toMatch(/^400 too_many_files/);
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: "file", deleted: true });
    expect(await errorOf(client.files.retrieve(file.id))).toMatch(/^404 id: there is no file/);
    expect(readdirSync(join(place, "files", "files")).sort()).toEqual([
      `${second.id}.json`,
      `${second.id}.jsonl`,
    ]);
  });

  test("are refused with every row that can't be used, and without the server's paths", async () => {
    const { client } = await start("bad-files", { limits: { fileBytes: 4000 } });
    const bad = [
      row("a", "b"),
      { messages: [{ role: "user", content: "a" }] },
      row("a", "b"),
      { messages: [{ role: "robot", content: "a" }] },
    ];
    const message = await errorOf(upload(client, `${lines(bad)}{"messages": [\n`));
    expect(message).toMatchInlineSnapshot(`
      "400 file: file: 3 rows can't be used:
      rows.jsonl, row 2, field "messages": no assistant turn: nothing to train on
      rows.jsonl, row 4, field "messages[0].role": the role "robot"
      rows.jsonl, row 5: not JSON: Unexpected end of JSON input"
    `);
    expect(await errorOf(upload(client, ""))).toMatchInlineSnapshot(
      `"400 file: file: rows.jsonl: the file is empty (Was it downloaded whole?)"`,
    );
    expect(await errorOf(upload(client, "x".repeat(5000)))).toMatch(/^413 file/);
    const odd = await toFile(Buffer.from("{}\n"), "$& rows.jsonl");
    expect(await errorOf(client.files.create({ file: odd, purpose: "fine-tune" }))).toMatch(
      /^400 file: file: \$& rows\.jsonl: /,
    );
    const file = await toFile(Buffer.from(ROWS.slice(0, 200)), "rows.jsonl");
    expect(await errorOf(client.files.create({ file, purpose: "batch" }))).toMatch(/^400 purpose/);
    expect(
      await errorOf(
        client.files.create({
          file,
          purpose: "fine-tune",
          expires_after: { anchor: "created_at", seconds: 3600 },
        }),
      ),
    ).toMatch(/^400 expires_after/);
    for (const id of ["..%2Fjobs", "file-..", "x"])
      expect(await errorOf(client.get(`/files/${id}`))).toMatch(/^404/);
    expect(readdirSync(join(place, "bad-files", "files"))).toEqual([]);
  });
});

describe("fine-tuning jobs", () => {
  const RECIPE = { lora: { rank: 2 }, checkpoints: { every: 1 } };
  // What the client has no types for goes along as it is.
  const create = (client: OpenAI, training_file: string, more: object = {}) =>
    client.fineTuning.jobs.create({ model: "tiny", training_file, recipe: RECIPE, ...more } as never);

  test("are refused, and say why", async () => {
    const { client, close } = await start("refused");
    const { id } = await upload(client);
    const errors = [
      create(client, "file-0"),
      create(client, id, { model: "other" }),
      create(client, id, { validation_file: "file-1" }),
      create(client, id, { suffix: "../x" }),
      create(client, id, { hyperparameters: { prompt_loss_weight: 2 } }),
      create(client, id, { hyperparameters: { epochs: 2 } }),
      create(client, id, { method: { type: "dpo" } }),
      create(client, id, { integrations: [{ type: "wandb" }] }),
      create(client, id, { recipe: { output: "/tmp/x" } }),
      create(client, id, { recipe: { evaluation: { data: "/etc/passwd" } } }),
      create(client, id, { recipe: { training: { learnngRate: 1 } } }),
      create(client, id, { hyperparameters: { n_epochs: 2 }, recipe: { training: { steps: 3 } } }),
      create(client, id, {
        hyperparameters: { n_epochs: 2 },
        method: { type: "supervised", supervised: { hyperparameters: { n_epochs: 3 } } },
      }),
      client.fineTuning.jobs.retrieve("ftjob-0"),
      client.get("/fine_tuning/jobs?metadata=x"),
      client.get("/fine_tuning/nothing"),
    ].map(errorOf);
    expect(
      (await Promise.all(errors)).join("\n").replaceAll(/file-[0-9a-f]{24}/g, "FILE"),
    ).toMatchInlineSnapshot(`
      "400 training_file: training_file: there is no file file-0 here
      404 model: there is no model other here, but tiny
      400 validation_file: validation_file: there is no file file-1 here
      400 suffix: suffix: letters, digits, - and _ were expected, 64 at most
      400 hyperparameters.prompt_loss_weight: hyperparameters.prompt_loss_weight: Too big: expected number to be <=1
      400 hyperparameters.epochs: unrecognized request argument: epochs
      400 method.type: method.type: is not supported other than as "supervised"
      400 integrations: integrations: is not supported other than as []
      400 recipe.output: recipe.output: is the server's to say
      400 recipe.evaluation.data: recipe.evaluation.data: is the server's to say
      400 recipe: recipe: training.learnngRate: there is no such key; did you mean learningRate?
      400 n_epochs: n_epochs: and recipe.training.steps both say it; give one of them
      400 hyperparameters.n_epochs: hyperparameters.n_epochs: differs from method.supervised.hyperparameters.n_epochs. Hint: give one of the two
      404 fine_tuning_job_id: there is no fine-tuning job ftjob-0 here
      400 metadata: unrecognized request argument: metadata
      404 null: there is no /v1/fine_tuning/nothing"
    `);
    await close();
    await expect(start("refused").then(() => start("refused"))).rejects.toThrow(/serves jobs from it/);
    const off = await start("off", { jobs: undefined as never });
    expect(await errorOf(off.client.files.list() as never)).toMatch(/^404 jobs_off/);
  });
});
