// What the page on weights asks for, over HTTP but without a socket: which tokenizers there are, what is refused, and that
// the modules that the page shares need nothing of Node.
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Hono } from "hono";
import { afterAll, expect, test } from "vitest";
import { importsOf } from "../../../../../test/imports.ts";
import { studyResults } from "../../../test/study/made-results.ts";
import { TINY_BYTES, TINY_PIECES } from "../../../test/tokenizers.ts";
import { NORMALIZATIONS } from "../../loss/normalization.ts";
import { asServeError, errorBody } from "../../serve/errors.ts";
import { DEFAULT_LIMITS } from "../../serve/limits.ts";
import { ModelShelf } from "../../serve/models.ts";
import { EngineQueue } from "../../serve/queue.ts";
import { recommend } from "../../statistics/index.ts";
import { readStudyResults, studyEvidence, writeStudyResults } from "../../study/results/index.ts";
import type { RecipeAnswer, RecommendationAnswer, WeightsAnswer, WeightsSettings } from "./answer.ts";
import { weightsRoutes } from "./routes.ts";

const folder = mkdtempSync(join(tmpdir(), "promptloss-weights-"));
cpSync(TINY_BYTES, join(folder, "bytes"), { recursive: true });
cpSync(TINY_PIECES, join(folder, "runs", "one", "model"), { recursive: true });
cpSync(TINY_PIECES, join(folder, ".hidden"), { recursive: true });
symlinkSync(TINY_PIECES, join(folder, "link"));
mkdirSync(join(folder, "broken"));
writeFileSync(join(folder, "broken", "tokenizer.json"), "{}");
const studyFolder = mkdtempSync(join(tmpdir(), "promptloss-study-"));
afterAll(() => rmSync(studyFolder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

const app = new Hono();
weightsRoutes(app, {
  models: new ModelShelf([], 0, DEFAULT_LIMITS),
  service: undefined,
  limited: (_, next) => next(),
  queue: new EngineQueue(DEFAULT_LIMITS),
  folder: {
    path: folder,
    runAt: () => undefined,
    study: (id) => (id === "s" ? { path: studyFolder } : undefined),
    studies: () => [{ id: "s", name: "mine" }],
  },
});
app.onError((error, c) => {
  const known = asServeError(error);
  return c.json(errorBody(known), known.status as 400);
});

async function get<T>(path = ""): Promise<T> {
  return (await app.request(`/studio/api/weights${path}`)).json() as Promise<T>;
}

async function post<T>(path: string, body: unknown): Promise<{ status: number; answer: T; text: string }> {
  const response = await app.request(`/studio/api/weights/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json;") ?? false;
  return {
    status: response.status,
    answer: (text.startsWith("{") || isJson ? safely(text) : undefined) as T,
    text,
  };
}

function safely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Refused {
  readonly error: { readonly message: string; readonly param: string };
}

const ROW = '{"prompt": "a", "completion": "b"}\n';

test("tokenizers are those below the folder, behind no link and in no hidden folder", async () => {
  const { tokenizers, templates, jobs } = await get<WeightsSettings>();
  expect(tokenizers.map(({ id, kind }) => `${kind} ${id}`)).toEqual([
    "folder folder:broken",
    "folder folder:bytes",
    "folder folder:runs/one/model",
  ]);
  expect(JSON.stringify(tokenizers)).not.toContain(tmpdir());
  expect(templates).toContain("chatml");
  expect(jobs).toBe(false);
});

test("rows are tokenized with a tokenizer of the list, and with no other", async () => {
  const asked = { text: ROW, tokenizer: "folder:runs/one/model", template: "plain" };
  const { status, answer } = await post<WeightsAnswer>("tokens", asked);
  expect([status, answer.counts.usable, answer.name]).toEqual([200, 1, "pasted rows"]);
  for (const tokenizer of [
    "folder:link",
    "folder:.hidden",
    "folder:../x",
    `folder:${folder}`,
    "served:x",
    "bytes",
    "",
  ]) {
    const { status: refused, answer: why } = await post<Refused>("tokens", { ...asked, tokenizer });
    expect([tokenizer, refused, why.error.param]).toEqual([tokenizer, 404, "tokenizer"]);
  }
  const broken = await post<Refused>("tokens", { ...asked, tokenizer: "folder:broken" });
  expect(broken.status).toBe(400);
  expect(broken.answer.error.message).toMatch(/^tokenizer: broken\/tokenizer\.json: is not a tokenizer/);
});

test("bodies that are none, and texts that are too long, are refused", async () => {
  const asked = { text: ROW, tokenizer: "folder:bytes" };
  const refusals = [
    { ...asked, text: "" },
    { ...asked, text: 1 },
    { ...asked, template: "no such" },
    { ...asked, turns: "some" },
    { ...asked, path: "/etc/passwd" },
    { ...asked, container: "parquet" },
    { ...asked, text: "é".repeat(4 * 1024 * 1024 + 1) },
    { ...asked, text: " ".repeat(20 * 1024 * 1024) },
  ];
  const told = [];
  for (const body of refusals) {
    const { status, answer } = await post<Refused>("tokens", body);
    told.push(`${status} ${answer.error.param}`);
  }
  expect(told).toEqual([
    "400 text",
    "400 text",
    "400 template",
    "400 turns",
    "400 path",
    "400 container",
    "413 text",
    "413 text",
  ]);
});

test("losses are those of models that are served, which a tokenizer's folder has not", async () => {
  const asked = { tokenizer: "folder:bytes", rows: [[1, 2]] };
  for (const [body, param] of [
    [asked, "tokenizer"],
    [{ ...asked, tokenizer: "served:none" }, "tokenizer"],
    [{ ...asked, rows: [] }, "rows"],
    [{ ...asked, rows: [[-1]] }, "rows.0.0"],
  ] as const) {
    const { status, answer } = await post<Refused>("losses", body);
    expect([status >= 400 && status < 500, answer.error.param]).toEqual([true, param]);
  }
});

test("a recommendation for each normalization is that of the command, with grounds in words", async () => {
  const found = await get<Record<string, RecommendationAnswer>>(
    "/recommendation?ratio=0.5&task_group=multiple-choice&parameters=1e9",
  );
  expect(Object.keys(found)).toEqual([...NORMALIZATIONS]);
  for (const normalization of NORMALIZATIONS) {
    const { evidence, ...rest } = found[normalization]!;
    const expected = recommend(0.5, { taskGroup: "multiple-choice", parameters: 1e9, normalization });
    const { evidence: facts, ...same } = JSON.parse(JSON.stringify(expected)) as typeof expected;
    expect(rest).toEqual(same);
    expect(evidence.map(({ text }) => text)).toEqual(facts.map(({ text }) => text));
    expect(evidence[0]!.from).toBe("the paper, verified");
  }
  for (const query of ["ratio=0", "ratio=x", "ratio=1&task_group=all", "", "ratio=1&more=1"])
    expect(await get<Refused>(`/recommendation?${query}`), query).toHaveProperty("error");
});

test("rows become lines, and values a recipe with its problems", async () => {
  const lines = await post("lines", { text: `[${ROW.trim()}, {"prompt": "x"}]`, name: "rows.json" });
  expect(lines.text).toBe('{"prompt":"a","completion":"b"}\n');
  const { answer } = await post<RecipeAnswer>("recipe", {
    recipe: { model: "m", data: "d", training: { epoch: 1 } },
  });
  expect(answer.problems).toEqual([
    { path: "training.epoch", message: "there is no such key; did you mean epochs?" },
  ]);
});

test("with a study the recommendation rests on its runs, as the command's does", async () => {
  const empty = await get<Refused>("/recommendation?ratio=0.1&study=s");
  expect(empty.error.message).toBe("study: there are no results of a study");
  writeStudyResults(studyFolder, studyResults({ ratios: [0.1], best: 0.4 }));
  const found = await get<Record<string, RecommendationAnswer>>("/recommendation?ratio=0.1&study=s");
  const { rows } = readStudyResults(studyFolder);
  const expected = recommend(0.1, {
    normalization: "weight-sum",
    study: studyEvidence(rows, { generationRatio: 0.1, taskGroup: undefined }),
  });
  expect(found["weight-sum"]).toMatchObject({
    ...{ plw: expected.plw, source: "study", runs: 21, sentence: expected.sentence },
  });
  expect(found["weight-sum"]!.evidence[0]!.from).toBe("your study");
  expect(await get<Refused>("/recommendation?ratio=0.1&study=x")).toMatchObject({
    error: { param: "study" },
  });
});

/** Modules that the page bundles. */
const SHARED = ["token-weights.ts", "weight-scale.ts", "recipe-form.ts", "answer.ts"];

test("what the page shares imports nothing but modules of its own", () => {
  const root = fileURLToPath(new URL("../../../../../", import.meta.url));
  const reached = new Set(SHARED.map((name) => `packages/promptloss/src/studio/weights/${name}`));
  const packages: string[] = [];
  for (const file of reached)
    for (const { to, when } of importsOf(root, file, (name) => name)) {
      if (when === "types") continue;
      if (to.endsWith(".ts")) reached.add(to);
      else packages.push(`${file} imports ${to}`);
    }
  expect(packages).toEqual([]);
  expect(reached.size).toBeLessThan(25);
});
