// Models named as on the hub, as a user gives them to commands; the hub is a server beside the test.

import { spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Outcome, program } from "./command.ts";
import { COMMIT, type HubServer, startHubServer } from "./hub-server.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const ID = "someone/tiny";
let folder: TrainingFolder;
let server: HubServer;
beforeAll(async () => {
  folder = trainingFolder();
  const model = join(folder.path, "model");
  const files = Object.fromEntries(readdirSync(model).map((name) => [name, readFileSync(join(model, name))]));
  server = await startHubServer({ models: { [ID]: { ...files, "README.md": "# tiny" } } });
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

/** The server is this process, so it must not wait without answering. */
async function promptloss(...args: string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder.path,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      XDG_CACHE_HOME: join(folder.path, "cache"),
      HF_HOME: join(folder.path, "huggingface"),
      HF_ENDPOINT: server.endpoint,
    },
  });
  const status = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, stdout, stderr };
}

function cached(): string {
  return join(folder.path, "huggingface", "hub", "models--someone--tiny");
}

test("an adapter of a model of the hub names it, and is used with it, without the hub too", async () => {
  const file = join(folder.path, "adapter.yaml");
  writeFileSync(
    file,
    `model: ${ID}@main\ndata: rows.json\noutput: adapter\nlora: { rank: 2 }\ntraining: { steps: 1, batchSize: 4 }\n`,
  );
  const trained = await promptloss("train", file);
  expect(trained, trained.stderr).toMatchObject({ status: 0 });
  expect(server.downloads.filter((path) => path === "model.safetensors")).toHaveLength(1);
  expect(server.downloads).not.toContain("README.md");
  const { recipe } = JSON.parse(readFileSync(join(folder.path, "adapter", "manifest.json"), "utf8"));
  expect(recipe.model).toBe(join(cached(), "snapshots", COMMIT));
  const config = JSON.parse(
    readFileSync(join(folder.path, "adapter", "model", "adapter_config.json"), "utf8"),
  );
  expect(config).toMatchObject({ base_model_name_or_path: ID, revision: COMMIT });

  const { count } = server.requests;
  const answer = await promptloss("generate", "adapter", "Say red.", "--max-new-tokens", "2", "--offline");
  expect(answer, answer.stderr).toMatchObject({ status: 0 });
  expect(server.requests.count).toBe(count);
});

test("a path that exists is a path; a name that is neither is an error with a hint", async () => {
  mkdirSync(join(folder.path, "someone", "tiny"), { recursive: true });
  const here = await promptloss("generate", ID, "Say red.");
  expect(here.status).toBe(1);
  expect(here.stderr).not.toContain("hub");
  const none = await promptloss("generate", "someone/none@v1", "Say red.");
  expect(none.status).toBe(1);
  expect(none.stderr).toMatch(
    /error: someone\/none@v1: no such folder, and no such model on the hub: .*\n.*hint: Check the name and the revision/s,
  );
  const offline = await promptloss("generate", "someone/none", "Say red.", "--offline");
  expect(offline.status).toBe(1);
  expect(offline.stderr).toMatch(
    /someone\/none: there is no such folder, and the model isn't in the cache, and HF_HUB_OFFLINE/,
  );
});
