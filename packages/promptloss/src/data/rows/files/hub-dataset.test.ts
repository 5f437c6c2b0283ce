// Datasets of the hub: which files are read, the cache, downloads that break off, what is said without the hub.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  COMMIT,
  type HubServer,
  type HubServerOptions,
  startHubServer,
} from "../../../../test/hub-server.ts";
import { jsonl, parquet, temporaryFolder } from "../../../../test/row-files.ts";
import { HubError } from "../../../hub/index.ts";
import { type DataSource, type HubOptions, type HubProgress, loadExamples } from "../index.ts";

const ID = "someone/stories";
const CARD = `---
configs:
- config_name: short
  data_files: [{ split: train, path: short/train.parquet }, { split: test, path: short/test.jsonl }]
- config_name: long
  data_files: long.jsonl
---
`;
const files = {
  "README.md": CARD,
  "short/train.parquet": parquet([{ text: "short train" }]),
  "short/test.jsonl": jsonl({ text: "short test" }),
  "long.jsonl": jsonl({ text: "long" }),
};

const servers: HubServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
async function start(options: Partial<HubServerOptions> = {}): Promise<HubServer> {
  const server = await startHubServer({ datasets: { [ID]: files }, ...options });
  servers.push(server);
  return server;
}

async function read(hub: HubOptions, source: Omit<DataSource, "path"> = { config: "short" }) {
  const { examples, report } = await loadExamples({ path: ID, ...source }, { hub });
  return { texts: examples.map((each) => each.kind === "text" && each.text), notes: report.notes };
}

async function failure(promise: Promise<unknown>): Promise<HubError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HubError);
  return error as HubError;
}

describe("a dataset of the hub", () => {
  it("gives the configuration and split that are asked for, and downloads no more", async () => {
    const { endpoint, downloads } = await start();
    const hub = { endpoint, cacheDir: temporaryFolder() };
    expect((await read(hub)).texts).toEqual(["short train"]);
    expect((await read(hub, { config: "short", split: "test" })).texts).toEqual(["short test"]);
    expect((await read(hub, { config: "long", revision: COMMIT })).texts).toEqual(["long"]);
    expect((await read(hub, { files: "*/test.jsonl" })).texts).toEqual(["short test"]);
    expect(downloads).toEqual(["README.md", "short/train.parquet", "short/test.jsonl", "long.jsonl"]);
  });

  it("is read from the cache without the hub, which is said", async () => {
    const server = await start();
    const hub = { endpoint: server.endpoint, cacheDir: temporaryFolder() };
    await read(hub);
    await server.close();
    const { texts, notes } = await read(hub);
    expect(texts).toEqual(["short train"]);
    expect(notes).toEqual([expect.stringMatching(/stories: the hub can't be reached \(.*\); the copy in/)]);
    expect((await read({ ...hub, offline: true })).texts).toEqual(["short train"]);
    expect(await failure(read({ ...hub, offline: true }, { config: "long" }))).toMatchObject({
      reason: "hub-offline",
      message: expect.stringContaining("its file long.jsonl isn't in the cache"),
      hint: expect.stringContaining(`hf download ${ID} --repo-type dataset`),
    });
    expect(
      await failure(read({ offline: true, cacheDir: temporaryFolder(), endpoint: server.endpoint })),
    ).toMatchObject({ reason: "hub-offline", message: expect.stringContaining("HF_HUB_OFFLINE is set") });
  });

  it("keeps the cache as Hugging Face's own tools do", async () => {
    const { endpoint } = await start();
    const cacheDir = temporaryFolder();
    await read({ endpoint, cacheDir });
    const folder = join(cacheDir, "datasets--someone--stories");
    expect(readFileSync(join(folder, "refs/main"), "utf8")).toBe(COMMIT);
    expect(readdirSync(join(folder, "snapshots", COMMIT)).sort()).toEqual(["README.md", "short"]);
    for (const name of readdirSync(join(folder, "blobs")))
      expect(name).toMatch(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
  });

  it("tells how far a download is", async () => {
    const { endpoint } = await start();
    const told: HubProgress[] = [];
    await read({ endpoint, cacheDir: temporaryFolder(), onProgress: (progress) => told.push(progress) });
    const size = files["short/train.parquet"].length;
    expect(told[0]).toEqual({ file: "README.md", loaded: 0, total: CARD.length });
    expect(told.at(-1)).toEqual({ file: "short/train.parquet", loaded: size, total: size });
  });
});

describe("a download", () => {
  const long = jsonl(...Array.from({ length: 2000 }, (_, i) => ({ text: `row ${i}` })));
  const datasets = { [ID]: { "train.jsonl": long } };

  it("that breaks off is an error, and goes on where it stopped", async () => {
    const server = await start({ datasets });
    const hub = { endpoint: server.endpoint, cacheDir: temporaryFolder() };
    server.breakAfter = 10_000;
    expect(await failure(read(hub, {}))).toMatchObject({
      reason: "hub-download",
      hint: "Run it again: what is here already is kept.",
    });
    server.breakAfter = undefined;
    const told: HubProgress[] = [];
    expect((await read({ ...hub, onProgress: (progress) => told.push(progress) }, {})).texts).toHaveLength(
      2000,
    );
    expect(told[0]!.loaded).toBe(10_000);
  });

  it("of other bytes than the hub lists is thrown away", async () => {
    const server = await start({ datasets });
    const hub = { endpoint: server.endpoint, cacheDir: temporaryFolder() };
    server.forged = long.replaceAll("row", "wor");
    expect((await failure(read(hub, {}))).message).toMatch(
      /the downloaded bytes are not those that the hub lists/,
    );
    server.forged = undefined;
    expect((await read(hub, {})).texts[0]).toBe("row 0");
  });
});

describe("what the hub refuses", () => {
  it("is said with what to do", async () => {
    const { endpoint } = await start();
    const hub = { endpoint, cacheDir: temporaryFolder() };
    const missing = await failure(loadExamples({ path: "someone/else" }, { hub }));
    expect(missing).toMatchObject({ reason: "hub-not-found", hint: expect.stringContaining("HF_TOKEN") });
    await expect(read(hub, { config: "shrt" })).rejects.toMatchObject({ hint: 'Did you mean "short"?' });
    expect(await failure(read(hub, { config: "short", revision: "v2" }))).toMatchObject({
      reason: "hub-not-found",
    });
  });

  it("a token opens", async () => {
    const { endpoint } = await start({ token: "hf_secret" });
    const hub = { endpoint, cacheDir: temporaryFolder() };
    expect(await failure(read({ ...hub, token: "hf_wrong" }))).toMatchObject({ reason: "hub-not-found" });
    expect((await read({ ...hub, token: "hf_secret" })).texts).toEqual(["short train"]);
    const error = await failure(read({ ...hub, token: "secret" }));
    expect(error.message).not.toContain("secret");
  });
});
