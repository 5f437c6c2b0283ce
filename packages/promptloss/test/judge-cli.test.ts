// The command `judge` from end to end: against `promptloss serve`, and with a model of its own.
import { once } from "node:events";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Judgment } from "../src/evaluation/judges/index.ts";
import { TextGenerator } from "../src/generation/index.ts";
import { type ModelServer, serveModel } from "../src/serve/index.ts";
import { type Outcome, startPromptloss } from "./command.ts";
import { judgeFolder, PREFERS_FIRST } from "./judge-model.ts";

describe("promptloss judge", () => {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-judge-cli-"));
  const file = (name: string, rows: readonly object[]): string => {
    writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    return join(folder, name);
  };
  const row = (i: number, output: string) => ({
    instruction: `Say ${i}`,
    input: i % 2 ? "please" : "",
    output,
  });
  const many = Array.from({ length: 12 }, (_, i) => i);
  const outputs = file(
    "outputs.jsonl",
    many.map((i) => row(i, i === 0 ? "same" : "a".repeat(1 + (i % 5)))),
  );
  const reference = file(
    "reference.jsonl",
    many.map((i) => row(i, i === 0 ? "same" : "b".repeat(2 + (i % 3)))),
  );
  const base = ["judge", outputs, "--reference", reference];

  let model: string;
  let generator: TextGenerator;
  let server: ModelServer;
  beforeAll(async () => {
    model = await judgeFolder(PREFERS_FIRST);
    generator = await TextGenerator.load(model);
    server = await serveModel(generator, { model: "judge", port: 0 });
  });
  afterAll(async () => {
    await server.close(0);
    generator.free();
  });

  /** Beside this process, which has the server. */
  const judge = (...args: string[]): Promise<Outcome> =>
    new Promise((resolve) => {
      const child = startPromptloss(args);
      child.stdin.end();
      const [out, err]: string[][] = [[], []];
      child.stdout.on("data", (data: Buffer) => out!.push(data.toString()));
      child.stderr.on("data", (data: Buffer) => err!.push(data.toString()));
      child.once("close", (status) => resolve({ status, stdout: out!.join(""), stderr: err!.join("") }));
    });

  const result = async (...args: string[]): Promise<Omit<Judgment, "pairs">> => {
    const { status, stdout, stderr } = await judge(...base, "--json", ...args);
    expect([status, stderr]).toEqual([0, ""]);
    return JSON.parse(stdout);
  };

  it("asks our own server: a judge that prefers what it reads first wins and loses by the order drawn", async () => {
    const records = join(folder, "records.jsonl");
    const cache = join(folder, "cache.jsonl");
    const args = [
      "--protocol",
      "alpaca-eval",
      "--endpoint",
      server.url,
      "--cache",
      cache,
      "--records",
      records,
    ];
    const judged = await result(...args);
    const lines = readFileSync(records, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(12);
    expect(lines[0]).toMatchObject({ verdict: "tie", candidate: "same" });
    for (const { verdict, switched, reply } of lines.slice(1)) {
      expect(reply).toBe(PREFERS_FIRST);
      expect(verdict).toBe(switched ? "lose" : "win");
    }
    expect(judged).toMatchObject({ n: 12, ties: 1, unreadable: 0, fromCache: 0, judge: "judge" });
    expect(judged.wins + judged.losses).toBe(11);
    // From the cache alone: of the endpoint only the list of models is asked for.
    expect(await result(...args)).toEqual({ ...judged, fromCache: 11 });
  });

  it("goes on where a killed run was", async () => {
    let asked = 0;
    let hang = true;
    const body = JSON.stringify({ choices: [{ message: { content: PREFERS_FIRST } }] });
    const endpoint = createServer((request, response) => {
      asked++;
      request.resume();
      if (hang && asked === 4) child.kill("SIGKILL");
      else response.writeHead(200, { "content-type": "application/json" }).end(body);
    });
    endpoint.listen(0, "127.0.0.1");
    await once(endpoint, "listening");
    const url = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/v1`;
    const cache = ["--cache", join(folder, "killed.jsonl"), "--concurrency", "1"];
    const args = ["--protocol", "alpaca-eval", "--endpoint", url, "--judge", "m", ...cache];
    const child = startPromptloss([...base, ...args]);
    expect(await once(child, "close")).toEqual([null, "SIGKILL"]);
    hang = false;
    expect(await result(...args)).toMatchObject({ n: 12, fromCache: 3 });
    // Eleven pairs are not draws; the fourth was asked about twice.
    expect(asked).toBe(12);
    endpoint.close();
  });

  it("judges with a model of its own as through the server", async () => {
    const args = ["--protocol", "alpaca-eval", "--no-cache", "--seed", "3"];
    const local = await result(...args, "--model", model);
    expect(await result(...args, "--endpoint", server.url)).toEqual(local);
  });

  it("prints a table; PandaLM's judge says what the first line says", async () => {
    const panda = await judgeFolder("1\n\n### Reason: it is shorter");
    const flags = ["--protocol", "pandalm", "--model", panda, "--no-cache", "--limit", "4"];
    expect(await judge(...base, ...flags)).toMatchInlineSnapshot(`
      {
        "status": 0,
        "stderr": "",
        "stdout": "pandalm by judge
      wins               4
      losses             0
      ties               0
      win rate           100.00 % ± 0.00
      length-controlled  no estimate
      ",
      }
    `);
  });

  it("says what is wrong", async () => {
    const failure = async (...args: string[]): Promise<string> => {
      const { status, stderr, stdout } = await judge(...base, ...args);
      expect(stdout).toBe("");
      return `${status} ${stderr.replaceAll(server.url, "URL").replaceAll(folder, "FOLDER")}`;
    };
    const alpaca = ["--protocol", "alpaca-eval"];
    expect(
      await Promise.all([
        failure(...alpaca),
        failure(...alpaca, "--model", model, "--retries", "3"),
        failure(...alpaca, "--endpoint", server.url, "--batch-size", "3"),
        failure(...alpaca, "--endpoint", server.url, "--judge", "other", "--no-cache"),
        failure(...alpaca, "--endpoint", server.url, "--api-key-env", "NO_SUCH_KEY"),
        failure(...alpaca, "--endpoint", server.url, "--body", "[1]"),
        failure("--protocol", "pandalm", "--endpoint", server.url, "--reference", join(folder, "none")),
        failure("--protocol", "elo", "--endpoint", server.url),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "1 error: a judge is an endpoint or a model
      hint: give one of --endpoint and --model
      ",
        "1 error: --retries belongs to --endpoint
      hint: leave it out
      ",
        "1 error: --batch-size belongs to --model
      hint: leave it out
      ",
        "1 error: URL refuses: 404 there is no model other here, but judge
      hint: are its address and the model's name right?
      ",
        "1 error: the environment variable NO_SUCH_KEY, for the endpoint's key, is not set
      hint: export NO_SUCH_KEY=... before
      ",
        "2 error: option '--body <json>' argument '[1]' is invalid. It should be a JSON object.
      ",
        "1 error: FOLDER/none: no such file
      ",
        "2 error: option '--protocol <name>' argument 'elo' is invalid. Allowed choices are alpaca-eval, pandalm.
      ",
      ]
    `);
  });
});
