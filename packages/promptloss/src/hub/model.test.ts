// Models of the hub: which files are fetched, what is asked, and Hugging Face's own tools over the same cache.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { COMMIT, type HubServer, type HubServerOptions, startHubServer } from "../../test/hub-server.ts";
import {
  fetchModelFiles,
  HubError,
  type HubOptions,
  hubModelName,
  hubModelOf,
  hubSettings,
  type ModelNeed,
} from "./index.ts";
import { openHubRepository } from "./repository.ts";

const ID = "someone/tiny";
function index(...shards: string[]): string {
  return JSON.stringify({
    weight_map: Object.fromEntries(shards.map((shard) => [`${shard}.weight`, shard])),
  });
}
const texts = { "config.json": "{}", "tokenizer.json": '{"model":{}}', "chat_template.jinja": "{{ x }}" };
const other = {
  "README.md": "# tiny",
  ".gitattributes": "*",
  "pytorch_model.bin": "pickled",
  "onnx/model.onnx": "-",
};

const servers: HubServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});
async function start(options: HubServerOptions): Promise<HubServer> {
  const server = await startHubServer(options);
  servers.push(server);
  return server;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-hub-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function fetched(hub: HubOptions, need: ModelNeed = "model", named = ID): Promise<string> {
  const { id, revision, file } = hubModelName(named)!;
  const repository = await openHubRepository({ kind: "model", id, revision }, hubSettings(hub, {}), () => {});
  return fetchModelFiles(repository, need, file);
}

async function failure(promise: Promise<unknown>): Promise<HubError> {
  const error = await promise.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(HubError);
  return error as HubError;
}

describe("a model's name", () => {
  it.each([
    ["org/name", { id: "org/name", revision: "main" }],
    ["org/name@v1.0", { id: "org/name", revision: "v1.0" }],
    ["org/name@refs/pr/1", { id: "org/name", revision: "refs/pr/1" }],
    ["org/name/sub/q4.gguf@v1", { id: "org/name", revision: "v1", file: "sub/q4.gguf" }],
    ["org/name/../q4.gguf", undefined],
    ["./name", undefined],
    ["org/name/more", undefined],
    ["name", undefined],
    ["org/name@../../x", undefined],
    ["org/name@", undefined],
  ])("%s", (text, expected) => expect(hubModelName(text)).toEqual(expected));

  it("is read off the folder of its commit", () => {
    const folder = join("/cache", "hub", "models--org--name", "snapshots", COMMIT);
    expect(hubModelOf(folder)).toEqual({ id: "org/name", revision: COMMIT });
    expect(hubModelOf("/models/name")).toBeUndefined();
  });
});

describe("of a model", () => {
  it("only configs, the tokenizer, the chat template and the weights are fetched", async () => {
    const models = { [ID]: { ...other, ...texts, "model.safetensors": "weights" } };
    const { endpoint, downloads } = await start({ models });
    const hub = { endpoint, cacheDir: temporaryFolder() };
    const folder = await fetched(hub, "tokenizer");
    expect(downloads).toEqual(["config.json", "tokenizer.json", "chat_template.jinja"]);
    expect(await fetched(hub)).toBe(folder);
    expect(downloads.slice(3)).toEqual(["model.safetensors"]);
    expect(readFileSync(join(folder, "model.safetensors"), "utf8")).toBe("weights");
    expect(folder).toBe(join(hub.cacheDir, "models--someone--tiny", "snapshots", COMMIT));
  });

  it("the shards that its index names are fetched", async () => {
    const models = {
      [ID]: {
        ...texts,
        "model.safetensors.index.json": index("a.safetensors", "b.safetensors", "a.safetensors"),
        ...{ "a.safetensors": "a", "b.safetensors": "b", "c.safetensors": "c" },
      },
    };
    const { endpoint } = await start({ models });
    const folder = await fetched({ endpoint, cacheDir: temporaryFolder() });
    expect(["a", "b", "c"].map((name) => existsSync(join(folder, `${name}.safetensors`)))).toEqual([
      ...[true, true, false],
    ]);
  });

  it("one of its GGUF files is fetched where it is named", async () => {
    const models = { [ID]: { "a.gguf": "GGUF a", "b.gguf": "GGUF b" } };
    const { endpoint, downloads } = await start({ models });
    const hub = { endpoint, cacheDir: temporaryFolder() };
    expect(readFileSync(await fetched(hub, "model", `${ID}/b.gguf`), "utf8")).toBe("GGUF b");
    expect(downloads).toEqual(["b.gguf"]);
    const error = await failure(fetched(hub, "model", `${ID}/c.gguf`));
    expect(error).toMatchObject({ reason: "hub-content", hint: "Its GGUF files: a.gguf, b.gguf." });
  });

  it("a commit that is here already needs no request", async () => {
    const server = await start({ models: { [ID]: { ...texts, "model.safetensors": "weights" } } });
    const hub = { endpoint: server.endpoint, cacheDir: temporaryFolder() };
    await fetched(hub, "model", `${ID}@${COMMIT}`);
    const { count } = server.requests;
    await fetched(hub, "model", `${ID}@${COMMIT}`);
    expect(server.requests.count).toBe(count);
  });
});

describe("what can't be had is said with the way out", () => {
  const weights = "model.safetensors";
  it.each<[string, Readonly<Record<string, string>>, string, string]>([
    ["pickled weights", { ...texts, ...other }, "pickled weights only", "save_pretrained"],
    ["GGUF files", { "q4.gguf": "GGUF" }, "it has GGUF files", `name one: ${ID}/q4.gguf`],
    ["no weights", texts, "has no model.safetensors", "Its files: chat_template.jinja, config.json"],
    ["an index that is none", { "model.safetensors.index.json": "[" }, "index.json: is not JSON", ""],
    [
      "a shard that leads out",
      { "model.safetensors.index.json": index("../x") },
      "names no files of the repository",
      "",
    ],
  ])("%s", async (_, files, message, hint) => {
    const { endpoint } = await start({ models: { [ID]: files } });
    const error = await failure(fetched({ endpoint, cacheDir: temporaryFolder() }));
    expect(error.message).toContain(message);
    expect(error.hint ?? "").toContain(hint);
    expect(error.reason).toBe("hub-content");
  });

  it("a name that is none, terms not accepted, and no hub", async () => {
    const server = await start({
      models: { [ID]: { ...texts, [weights]: "w" }, "someone/gated": texts },
      gated: ["someone/gated"],
    });
    const hub = { endpoint: server.endpoint, cacheDir: temporaryFolder() };
    const missing = await failure(fetched(hub, "model", "someone/tniy@v2"));
    expect(missing).toMatchObject({ reason: "hub-not-found", hint: expect.stringContaining("HF_TOKEN") });
    expect(missing.message).toMatch(/^someone\/tniy@v2: no such folder, and no such model on the hub: /);
    expect(await failure(fetched(hub, "model", "someone/gated"))).toMatchObject({
      reason: "hub-access",
      hint: "Accept its terms on its page, then set HF_TOKEN.",
    });
    await fetched(hub, "tokenizer");
    const offline = { ...hub, offline: true };
    expect(await fetched(offline, "tokenizer")).toContain(COMMIT);
    expect(await failure(fetched(offline))).toMatchObject({
      reason: "hub-offline",
      message: expect.stringContaining("its file model.safetensors isn't in the cache"),
      hint: expect.stringContaining(`hf download ${ID}, then`),
    });
    await server.close();
    expect((await failure(fetched(hub))).message).toContain("its file model.safetensors isn't in the cache");
  });

  it("small files too that are not what the hub lists", async () => {
    const server = await start({ models: { [ID]: { "config.json": "{}" } } });
    server.forged = "[]";
    const error = await failure(fetched({ endpoint: server.endpoint, cacheDir: temporaryFolder() }));
    expect(error.message).toContain("not those that the hub lists");
  });
});

const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
const hasHub = spawnSync(python, ["-c", "import huggingface_hub"]).status === 0;

needs("python", hasHub).describe("Python's huggingface_hub", () => {
  const files = { ...texts, "model.safetensors": "weights" };
  const run = (program: string, cacheDir: string, env: Readonly<Record<string, string>>): string =>
    execFileSync(python, ["-c", program, cacheDir], {
      encoding: "utf8",
      env: { ...process.env, HF_HUB_DISABLE_XET: "1", HF_HUB_DISABLE_TELEMETRY: "1", ...env },
    }).trim();

  it("reads a cache that was written here, whole and without the hub", async () => {
    const { endpoint } = await start({ models: { [ID]: files } });
    const cacheDir = temporaryFolder();
    const folder = await fetched({ endpoint, cacheDir });
    const program = `
import sys
from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download
print(snapshot_download("${ID}", cache_dir=sys.argv[1], local_files_only=True))
print(open(hf_hub_download("${ID}", "model.safetensors", cache_dir=sys.argv[1])).read())
info = scan_cache_dir(sys.argv[1])
print(len(info.warnings), [(repo.repo_id, repo.repo_type, repo.nb_files, sorted(repo.refs)) for repo in info.repos])
`;
    expect(run(program, cacheDir, { HF_HUB_OFFLINE: "1" }).split("\n")).toEqual([
      folder,
      "weights",
      `0 [('${ID}', 'model', 4, ['main'])]`,
    ]);
  });

  it("writes a cache that is read here, without the hub and with it", async () => {
    // The program below is another process, and this one must not wait for it to answer it.
    const server = await start({ models: { [ID]: files } });
    const cacheDir = temporaryFolder();
    const program = `
import sys
from huggingface_hub import hf_hub_download
for name in sys.argv[2:]: print(hf_hub_download("${ID}", name, cache_dir=sys.argv[1]))
`;
    const { promisify } = await import("node:util");
    const { execFile } = await import("node:child_process");
    const { stdout } = await promisify(execFile)(python, ["-c", program, cacheDir, ...Object.keys(files)], {
      env: { ...process.env, HF_ENDPOINT: server.endpoint, HF_HUB_DISABLE_XET: "1" },
    });
    const hub = { endpoint: server.endpoint, cacheDir };
    const folder = await fetched({ ...hub, offline: true });
    expect(stdout.trim().split("\n")).toContain(join(folder, "model.safetensors"));
    server.downloads.length = 0;
    expect(await fetched(hub)).toBe(folder);
    expect(server.downloads).toEqual([]);
  });
});
