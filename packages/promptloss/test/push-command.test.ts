// `promptloss push` against a server that holds each request to the hub's protocol.
import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { needs } from "../../../test/needs.ts";
import { readRecipe } from "../src/recipe/index.ts";
import { runTraining } from "../src/training/index.ts";
import { type Outcome, program } from "./command.ts";
import { type HubServer, startHubServer } from "./hub-server.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const ID = "someone/colors";
const TOKEN = "hf_secret";
let folder: TrainingFolder;
let server: HubServer;
beforeAll(async () => {
  folder = trainingFolder();
  server = await startHubServer({ token: TOKEN });
  const recipe = folder.recipe(
    "run",
    "template: alpaca\nloss: { promptLossWeight: 0.1 }\ntraining: { steps: 2, batchSize: 8 }\nevaluation: { rows: 4 }\n",
  );
  await runTraining(readRecipe(recipe), { tokenCache: join(folder.path, "cache") });
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

/** The server is this process, so it must not wait without answering. */
async function push(args: readonly string[], token: string | undefined = TOKEN): Promise<Outcome> {
  const child = spawn(process.execPath, [program, "push", ...args], {
    cwd: folder.path,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      HF_HOME: join(folder.path, "huggingface"),
      HF_ENDPOINT: server.endpoint,
      HF_TOKEN: token,
    },
  });
  const status = new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await status, stdout, stderr };
}

const SCORES = {
  scores: [
    {
      ...{ task: "arc_easy", metric: "acc", value: 0.45, standardError: 0.05, n: 100 },
      settings: { split: "test", shots: 0 },
    },
  ],
};

test("a dry run shows the files and the card, and sends nothing", async () => {
  writeFileSync(join(folder.path, "scores.json"), JSON.stringify(SCORES));
  const { status, stdout, stderr } = await push(["run", ID, "--dry-run", "--scores", "scores.json"]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^someone\/colors: would be made; to send: \d+ files, .*; there already: 0 files/);
  expect(stdout).toContain("model.safetensors");
  expect(server.writes.served.size).toBe(0);
  const [, front] = /^---\n([\s\S]*?)\n---$/m.exec(stdout)!;
  expect(parse(front!)).toMatchObject({
    library_name: "transformers",
    tags: ["promptloss", "prompt-loss-weight"],
    "model-index": [
      {
        name: "colors",
        results: [{ dataset: { name: "arc_easy" }, metrics: [{ type: "acc", value: 0.45 }] }],
      },
    ],
  });
  expect(stdout).toContain("| prompt loss weight (PLW) | 0.1 |");
  expect(stdout).toMatch(/\| generation ratio \(Rg\) \| 0\.\d+ \|/);
  expect(stdout).toContain("| data | `rows.json` |");
  expect(stdout).toContain("| arc_easy | acc | 0.4500 | 0.0500 | 100 | 0 |");
  expect(stdout).toMatch(/after step 2: loss of the completions \d/);
  expect(stdout).toMatch(/```yaml\nmodel: model\n/);
  expect(stdout).not.toContain(folder.path);
});

test("an upload that broke off goes on; what is there is not sent again", async () => {
  server.writes.failUploads = 1;
  const broken = await push(["run", ID, "--private"]);
  expect(broken.status).toBe(1);
  expect(broken.stderr).toMatch(/the upload failed: .*\n.*hint: Run it again: what has arrived/s);
  const arrived = [...server.writes.blobs.keys()];
  server.writes.uploads.length = 0;
  const sent = await push(["run", ID]);
  expect(sent, sent.stderr).toMatchObject({ status: 0 });
  expect(sent.stdout).toContain(`${server.endpoint}/${ID}: sent `);
  expect(server.writes.uploads.filter((oid) => arrived.includes(oid.split("/")[0]!))).toEqual([]);
  const { files, isPrivate } = server.writes.served.get(`model ${ID}`)!;
  expect(isPrivate).toBe(true);
  const model = join(folder.path, "run", "model");
  const names = readdirSync(model);
  expect([...files.keys()].sort()).toEqual([...names, "README.md"].sort());
  for (const name of names) expect(files.get(name)!.equals(readFileSync(join(model, name))), name).toBe(true);
  expect(server.writes.commits).toEqual([
    { summary: "Upload with promptloss: prompt loss weight 0.1", paths: expect.any(Array) },
  ]);

  const again = await push(["run", ID, "--json"]);
  expect(JSON.parse(again.stdout)).toMatchObject({ id: ID, exists: true, send: [] });
  expect(server.writes.commits).toHaveLength(1);
});

test("what can't be pushed is an error with a hint", async () => {
  const cases: readonly (readonly [readonly string[], string, string?])[] = [
    [["run", ID], "writing to the hub takes a token", ""],
    [["run", ID], "the hub doesn't accept the token", "hf_other"],
    [["run", "other/colors"], "the hub refuses to be written to"],
    [["run", "colors"], "is no name of a repository"],
    [["none", ID], "no such folder"],
    [["run", ID, "--scores", "rows.json"], "holds no scores"],
  ];
  await Promise.all(
    cases.map(async ([args, message, token]) => {
      const { status, stderr } = await push(args, token);
      expect(status, stderr).toBe(1);
      expect(stderr).toContain(message);
      expect(stderr).toContain("hint: ");
    }),
  );
});

const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
const hasHub = spawnSync(python, ["-c", "import huggingface_hub"]).status === 0;

needs("python", hasHub).test("the server takes what Python's huggingface_hub sends", async () => {
  const sent = join(folder.path, "sent");
  mkdirSync(sent);
  writeFileSync(join(sent, "config.json"), "{}");
  writeFileSync(join(sent, "model.safetensors"), Buffer.alloc(250_000, 7));
  const code = `
import sys
from huggingface_hub import HfApi
api = HfApi(token="${TOKEN}")
api.create_repo("someone/python", private=True)
api.upload_folder(repo_id="someone/python", folder_path=sys.argv[1])
`;
  await promisify(execFile)(python, ["-c", code, sent], {
    env: { ...process.env, HF_ENDPOINT: server.endpoint, HF_HUB_DISABLE_XET: "1" },
  });
  const { files } = server.writes.served.get("model someone/python")!;
  expect([...files].map(([path, content]) => [path, content.length]).sort()).toEqual([
    ["config.json", 2],
    ["model.safetensors", 250_000],
  ]);
});
