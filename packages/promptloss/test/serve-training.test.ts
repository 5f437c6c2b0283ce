// Fine-tuning through OpenAI's own client, against the program as it is installed: from an upload to a chat with the result.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import OpenAI, { APIError, toFile } from "openai";
import { afterAll, describe, expect, test, vi } from "vitest";
import { needs } from "../../../test/needs.ts";
import { type ServeProcess, startServing } from "./serving.ts";
import { sharedPath } from "./shared.ts";
import { tinyFolder } from "./tiny-folder.ts";
import { TINY_BYTES } from "./tokenizers.ts";

const stories = sharedPath("models", "stories15M");
const tiny = tinyFolder(TINY_BYTES);
const place = mkdtempSync(join(tmpdir(), "promptloss-training-"));
const servers = new Set<ServeProcess>();

afterAll(async () => {
  for (const { child, ended } of servers) {
    child.kill("SIGKILL");
    await ended;
  }
  rmSync(dirname(tiny), { recursive: true });
  rmSync(place, { recursive: true });
});

async function start(model: string, ...args: string[]) {
  const server = await startServing(model, "--grace", "0", ...args);
  servers.add(server);
  return {
    url: server.url,
    client: new OpenAI({ baseURL: server.url, apiKey: "none", maxRetries: 0 }),
    end: ended,
  };
  async function ended(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<void> {
    servers.delete(server);
    server.child.kill(signal);
    expect(await server.ended).toEqual(signal === "SIGTERM" ? [0, null] : [null, signal]);
    expect(server.errors()).toBe("");
  }
}

const ROWS = Array.from({ length: 8 }, (_, i) => ({
  messages: [
    { role: "user", content: `Tell me story ${i}.` },
    { role: "assistant", content: "Once upon a time there was a dog." },
  ],
}));

async function upload(client: OpenAI, rows: readonly unknown[] = ROWS): Promise<string> {
  const text = rows.map((each) => `${JSON.stringify(each)}\n`).join("");
  const file = await toFile(Buffer.from(text), "rows.jsonl");
  return (await client.files.create({ file, purpose: "fine-tune" })).id;
}

/** Milliseconds, on a machine that has much else to do. */
const PATIENCE = 240_000;

type Job = OpenAI.FineTuning.FineTuningJob;

function reaches(client: OpenAI, id: string, state: Job["status"] | "paused"): Promise<Job> {
  return vi.waitFor(
    async () => {
      const job = await client.fineTuning.jobs.retrieve(id);
      expect(job.status).toBe(state);
      return job;
    },
    { timeout: PATIENCE, interval: 200 },
  );
}

interface Told {
  readonly id: string;
  readonly type: string;
  readonly message: string;
  readonly data: {
    readonly step?: number;
    readonly total_steps?: number;
    readonly event?: Record<string, unknown>;
  };
}

const { test: storiesTest } = needs("shared", stories !== undefined);

describe("fine-tuning", () => {
  storiesTest(
    "goes from an upload to a chat with the model, under the weight that was asked for",
    async () => {
      const jobs = join(place, "stories");
      const { client, url, end } = await start(stories!, "--jobs", jobs);
      const training_file = await upload(client);
      const job = await client.fineTuning.jobs.create({
        model: "stories15M",
        training_file,
        suffix: "mine",
        seed: 7,
        metadata: { team: "a" },
        method: {
          type: "supervised",
          // The client has no type for the weight that its API once had.
          supervised: { hyperparameters: { n_epochs: 2, batch_size: 4, prompt_loss_weight: 0.01 } as never },
        },
      });
      expect(job).toMatchObject({
        object: "fine_tuning.job",
        model: "stories15M",
        seed: 7,
        metadata: { team: "a" },
      });
      const other = await client.fineTuning.jobs.create({ model: "stories15M", training_file });
      expect(other.status).toBe("queued");
      expect((await client.fineTuning.jobs.cancel(other.id)).status).toBe("cancelled");
      await expect(client.files.delete(training_file)).rejects.toThrow(/reads it/);

      // The stream tells of all, and ends with the job.
      const stream = await (await fetch(`${url}/fine_tuning/jobs/${job.id}/events?stream=true`)).text();
      const events = [...stream.matchAll(/^data: (\{.*)$/gm)].map(([, text]) => JSON.parse(text!) as Told);
      expect(stream.trimEnd().endsWith("data: [DONE]")).toBe(true);
      expect(stream).not.toContain(place);
      const steps = events.filter(({ type }) => type === "metrics").map(({ data }) => data);
      expect(steps.map(({ step, total_steps }) => [step, total_steps])).toEqual(
        [1, 2, 3, 4].map((i) => [i, 4]),
      );
      expect(events.find(({ data }) => data.event?.type === "start")?.data.event?.promptLossWeight).toBe(
        0.01,
      );

      const done = await client.fineTuning.jobs.retrieve(job.id);
      expect(done).toMatchObject({ status: "succeeded", error: null });
      expect(done.fine_tuned_model).toBe(`ft:stories15M:promptloss:mine:${job.id.slice(-8)}`);
      expect(done.trained_tokens).toBeGreaterThan(0);
      const listed: string[] = [];
      for await (const { id } of client.fineTuning.jobs.listEvents(job.id, { limit: 3 })) listed.push(id);
      expect(listed).toEqual(events.map(({ id }) => id).reverse());
      const checkpoints = (await client.fineTuning.jobs.checkpoints.list(job.id)).data;
      expect(checkpoints.map(({ step_number, metrics }) => [step_number, metrics.step])).toEqual([
        [4, 4],
        [2, 2],
      ]);
      expect(checkpoints[0]!.metrics.train_loss).toBeGreaterThan(0);

      const chat = (from: OpenAI) =>
        from.chat.completions.create({
          model: done.fine_tuned_model!,
          messages: [{ role: "user", content: "Tell me story 3." }],
          temperature: 0,
          max_tokens: 8,
        });
      const said = (await chat(client)).choices[0]!.message.content;
      expect((await client.models.list()).data.map(({ id }) => id)).toEqual([
        "stories15M",
        done.fine_tuned_model,
      ]);
      await end();

      // The folders are the database: a new service knows the job, its events and its model.
      const again = await start(stories!, "--jobs", jobs);
      expect(await again.client.fineTuning.jobs.retrieve(job.id)).toEqual(done);
      expect((await chat(again.client)).choices[0]!.message.content).toBe(said);
      const gone = await again.client.models.delete(done.fine_tuned_model!);
      expect(gone).toEqual({ id: done.fine_tuned_model, object: "model", deleted: true });
      await expect(chat(again.client)).rejects.toThrow(/there is no model ft:/);
      await again.end();
    },
    2 * PATIENCE,
  );

  test(
    "pauses, resumes, survives the service, is cancelled, and says why it failed",
    async () => {
      const jobs = join(place, "tiny");
      const { client, end } = await start(tiny, "--jobs", jobs, "--name", "tiny", "--max-jobs", "1");
      const training_file = await upload(client);
      const create = (from: OpenAI, more: object) =>
        from.fineTuning.jobs.create({ model: "tiny", training_file, ...more });
      const job = await create(client, {
        hyperparameters: { n_epochs: 1000, batch_size: 1 },
        recipe: { lora: { rank: 2 } },
      });
      const stepsOf = async (from: OpenAI): Promise<number[]> => {
        const { data } = await from.fineTuning.jobs.listEvents(job.id, { limit: 1000 } as never);
        return data
          .flatMap(({ type, data }) => (type === "metrics" ? (data as { step: number }).step : []))
          .reverse();
      };
      const goesBeyond = (from: OpenAI, step: number) =>
        vi.waitFor(async () => expect((await stepsOf(from)).at(-1) ?? 0).toBeGreaterThan(step), {
          timeout: PATIENCE,
          interval: 200,
        });
      await goesBeyond(client, 2);
      await create(client, {});
      const full = await create(client, {}).catch((error: unknown) => error);
      expect(full).toBeInstanceOf(APIError);
      expect(full).toMatchObject({ status: 429, code: "job_queue_full" });
      await client.fineTuning.jobs.pause(job.id);
      await reaches(client, job.id, "paused");
      const paused = (await stepsOf(client)).at(-1)!;
      const [waiting] = (await client.fineTuning.jobs.list()).data;
      await client.fineTuning.jobs.cancel(waiting!.id);
      await reaches(client, waiting!.id, "cancelled");
      await client.fineTuning.jobs.resume(job.id);
      await goesBeyond(client, paused);
      await end();

      const again = await start(tiny, "--jobs", jobs, "--name", "tiny");
      await goesBeyond(again.client, (await stepsOf(again.client)).at(-1)!);
      const steps = await stepsOf(again.client);
      // Each step once: it went on from where it was, both times.
      expect(steps).toEqual(steps.map((_, i) => i + 1));
      await again.client.fineTuning.jobs.cancel(job.id);
      expect((await reaches(again.client, job.id, "cancelled")).fine_tuned_model).toBeNull();
      await expect(again.client.fineTuning.jobs.resume(job.id)).rejects.toThrow(/is cancelled/);

      const failing = await create(again.client, { recipe: { template: "{nothing}{output}" } });
      const failed = await reaches(again.client, failing.id, "failed");
      expect(failed.error).toMatchObject({ code: "training_failed", message: /nothing/ });
      await again.end();
    },
    4 * PATIENCE,
  );
});
