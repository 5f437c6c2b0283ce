// Judged tasks in a study: a cell's model answers a reference file's instructions, and a judge compares. One judge is an
// endpoint that this process serves, one a model in a folder.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readStudyResults } from "../../src/study/results/index.ts";
import { type Outcome, promptloss, startPromptloss } from "../command.ts";
import { judgeFolder } from "../judge-model.ts";
import { type TrainingFolder, trainingFolder } from "../training-folder.ts";

const ROWS = 8;
/** Instructions whose reference the judge likes less than what a cell says. */
const WON = new Set([1, 4, 6]);

let folder: TrainingFolder;
beforeAll(() => {
  folder = trainingFolder();
  mkdirSync(join(folder.path, "judged"));
  const rows = Array.from({ length: ROWS }, (_, i) => ({
    instruction: `Question ${i}`,
    ...(i % 2 === 0 && { input: "Be brief." }),
    output: `REFERENCE ${"long ".repeat(i)}`,
  }));
  writeFileSync(
    join(folder.path, "judged/reference.jsonl"),
    rows.map((row) => `${JSON.stringify(row)}\n`).join(""),
  );
});
afterAll(() => folder.remove());

/** Prefers by the instruction's number, wherever the reference stands. Refuses what comes after so many requests. */
async function rankingEndpoint() {
  const heard: { model: unknown; key: string | undefined; prompt: string }[] = [];
  const limits = { refuseAfter: Number.POSITIVE_INFINITY };
  const server = createServer(async (request, response) => {
    const { model, messages } = JSON.parse(await text(request)) as {
      model: string;
      messages: { content: string }[];
    };
    const prompt = messages.at(-1)!.content;
    if (heard.length >= limits.refuseAfter) return void response.writeHead(400).end('{"error": {}}');
    heard.push({ model, key: request.headers.authorization, prompt });
    const number = Number(/Question (\d+)/.exec(prompt)![1]);
    const referenceFirst = prompt.indexOf("REFERENCE") < prompt.indexOf('"model": "model_2"');
    const first = WON.has(number) !== referenceFirst ? 1 : 2;
    const content = `[{'model': 'model_1', 'rank': ${first}}, {'model': 'model_2', 'rank': ${3 - first}}]`;
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ choices: [{ message: { role: "assistant", content } }] }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { heard, limits, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}
const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) server.close();
});

/** Beside this process, which serves. */
function study(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = startPromptloss(["study", ...args]);
    child.stdin.end();
    const said = { stdout: "", stderr: "" };
    child.stdout.on("data", (data: Buffer) => {
      said.stdout += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => {
      said.stderr += data.toString();
    });
    child.once("close", (status) => resolve({ status, ...said }));
  });
}

function write(name: string, tasks: string): string {
  const file = join(folder.path, `${name}.yaml`);
  writeFileSync(
    file,
    `recipe: { model: model, data: rows.json, maxLength: 200, training: { steps: 1 } }
factors: { plw: [0, 1] }
taskData: judged
tasks: ${tasks}
output: ${join(folder.path, name)}
`,
  );
  return file;
}

function linesOf(file: string): Record<string, unknown>[] {
  return readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

describe("judged tasks", () => {
  test("AlpacaEval by an endpoint: win rates with errors, in every cell, going on after a refusal", async () => {
    const { heard, limits, endpoint } = await rankingEndpoint();
    const judge = `{ endpoint: "${endpoint}", model: mixtral, retries: 0, concurrency: 1 }`;
    const file = write(
      "alpaca",
      `[{ task: alpaca-eval, options: { reference: reference.jsonl, maxNewTokens: 8, judge: ${judge} } }]`,
    );
    limits.refuseAfter = ROWS + 3;
    const first = await study("run", file);
    expect([first.status, first.stdout.match(/✗/g)]).toEqual([1, ["✗"]]);
    expect(first.stdout).toContain("refuses");
    limits.refuseAfter = Number.POSITIVE_INFINITY;
    const second = await study("run", file, "--retry", "--events");
    expect([second.status, second.stderr]).toEqual([0, ""]);
    // Neither trained again, nor asked twice.
    expect(second.stdout).not.toContain('"type":"step"');
    expect(heard).toHaveLength(2 * ROWS);
    expect(heard.map(({ model }) => model)).toEqual(Array(2 * ROWS).fill("mixtral"));

    const { rows } = readStudyResults(join(folder.path, "alpaca"));
    const winRates = rows.filter(({ metric }) => metric === "win_rate");
    const p = WON.size / ROWS;
    for (const { plw, ...row } of winRates)
      expect([plw, row]).toEqual([
        plw,
        expect.objectContaining({
          task: "alpaca-eval",
          taskGroup: "long-generation",
          primary: true,
          higherIsBetter: true,
          value: 100 * p,
          standardError: expect.closeTo(100 * Math.sqrt((p * (1 - p)) / (ROWS - 1)), 9),
          items: ROWS,
          chance: null,
        }),
      ]);
    expect(winRates.map(({ plw }) => plw)).toEqual([0, 1]);
    expect(rows.filter(({ primary }) => primary)).toHaveLength(2);
    const lost = rows.find(({ metric }) => metric === "lose");
    expect(lost).toMatchObject({ value: 100 * (1 - p), higherIsBetter: false });
    expect(rows.find(({ metric }) => metric === "unreadable")).toMatchObject({ value: 0 });
    const length = rows.find(({ metric }) => metric === "answer_tokens")!;
    expect(length.value).toBeGreaterThanOrEqual(1);
    expect(length.value).toBeLessThanOrEqual(8);

    const kept = join(folder.path, "alpaca/cells", winRates[0]!.cell, "evaluation/alpaca-eval");
    const verdicts = linesOf(join(kept, "verdicts.jsonl"));
    expect(verdicts.map(({ verdict }) => verdict)).toEqual(
      verdicts.map((_, i) => (WON.has(i) ? "win" : "lose")),
    );
    expect(verdicts[0]).toMatchObject({ instruction: "Question 0", input: "Be brief.", judge: "mixtral" });
    // What the model said is what was judged.
    const answers = linesOf(join(kept, "answers.jsonl")).slice(1);
    expect(answers.map(({ output }) => output)).toEqual(verdicts.map(({ candidate }) => candidate));
  });

  test("PandaLM by a model in a folder", async () => {
    const judge = await judgeFolder("1");
    const file = write(
      "panda",
      `[{ task: pandalm, options: { reference: reference.jsonl, limit: 3, maxNewTokens: 4, judge: { folder: ${judge} } } }]`,
    );
    const { status, stderr } = await study("run", file);
    expect([status, stderr]).toEqual([0, ""]);
    const { rows } = readStudyResults(join(folder.path, "panda"));
    expect(rows.filter(({ metric }) => metric === "win_rate").map(({ value }) => value)).toEqual([100, 100]);
    const [cell] = readdirSync(join(folder.path, "panda/cells"));
    const kept = join(folder.path, "panda/cells", cell!, "evaluation/pandalm");
    expect(linesOf(join(kept, "verdicts.jsonl"))).toHaveLength(3);
  });

  test("what is wrong with a judged task is told before anything is trained", () => {
    const said = (tasks: string): string => promptloss(["study", "plan", write("wrong", tasks)]).stderr;
    const options = (text: string): string => `[{ task: alpaca-eval, options: { ${text} } }]`;
    expect(said("[alpaca-eval]")).toMatch(/wrong\.yaml:4: tasks\.0: alpaca-eval needs the option reference/);
    expect(said(options("reference: a.jsonl"))).toMatch(/needs the option judge, who compares/);
    expect(said(options("reference: a.jsonl, judge: {}"))).toMatch(/judge: is an endpoint or a folder/);
    expect(said(options("reference: a.jsonl, judge: { folder: x, apiKeyEnv: KEY }"))).toMatch(
      /judge\.apiKeyEnv: belongs to a judge's endpoint/,
    );
    expect(said(options("reference: a.jsonl, judge: { endpoint: x, dtype: bfloat16 }"))).toMatch(
      /judge\.dtype: belongs to a judge's folder/,
    );
    expect(said(options("reference: a.jsonl, judge: { folder: x }, shots: 1"))).toMatch(/shots/);
    // What generation would refuse when a cell has been trained.
    expect(said(options("reference: a.jsonl, judge: { folder: x }, repetitionPenalty: 5000"))).toMatch(
      /repetitionPenalty: should be 1,000 or less/,
    );
  });

  test("a key is taken from the environment, and its absence fails the cell with words", async () => {
    const { endpoint } = await rankingEndpoint();
    const judge = `{ endpoint: "${endpoint}", model: m, apiKeyEnv: PROMPTLOSS_NO_SUCH_KEY }`;
    const file = write(
      "key",
      `[{ task: alpaca-eval, options: { reference: reference.jsonl, limit: 1, maxNewTokens: 2, judge: ${judge} } }]`,
    );
    const { status, stdout } = await study("run", file);
    expect(status).toBe(1);
    expect(stdout).toContain("PROMPTLOSS_NO_SUCH_KEY, for the endpoint's key, is not set");
  });
});
