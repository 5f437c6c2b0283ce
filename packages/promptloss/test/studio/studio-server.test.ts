// The studio's routes over HTTP: who is let in, what is told, what is refused.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compiled } from "../../../../test/compiled.ts";
import { writeStudyReport } from "../../src/report/index.ts";
import { type ModelServer, serveModels } from "../../src/serve/index.ts";
import { idOf } from "../../src/studio/folder/scan.ts";
import type {
  LiveMessage,
  Overview,
  SeriesChange,
  StudyAnalysis,
  StudyDetail,
} from "../../src/studio/index.ts";
import { studioPart } from "../../src/studio/index.ts";
import { madeStudy } from "../report/made-study.ts";
import { FAILURE, writeStudy } from "../report/written-study.ts";
import { liveUntil } from "./live-client.ts";
import { addSteps, makeRun } from "./made-run.ts";

// The page is one of the compiled files.
compiled("packages/promptloss", "studio-page/index.html");

let folder: string;
let server: ModelServer;
let root: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "studio-server-"));
  makeRun(join(folder, "one"), { startedAt: "2024-01-02T00:00:00.000Z" });
  makeRun(join(folder, "two"), { steps: 30, startedAt: "2024-01-03T00:00:00.000Z" });
  server = await serveModels([], { port: 0, part: studioPart(folder) });
  root = new URL("/", server.url).href;
});
afterAll(async () => {
  await server.close(0);
  rmSync(folder, { recursive: true });
});

function live(query: string): string {
  return `${root}studio/api/live?${query}`;
}

/** As it is written, where fetch would tidy the path. */
function status(path: string, headers: Record<string, string> = {}): Promise<number> {
  const { hostname, port } = new URL(root);
  return new Promise((resolve, reject) => {
    get({ hostname, port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    }).on("error", reject);
  });
}

describe("the live stream", () => {
  test("lists the folder's runs, the newest first", async () => {
    const [{ value }] = (await liveUntil(live("topic=overview"), () => true)) as [LiveMessage];
    const { runs, studies } = value as Overview;
    expect(runs.map(({ name, step }) => [name, step])).toEqual([
      ["two", 30],
      ["one", 20],
    ]);
    expect(studies).toEqual([]);
    expect(JSON.stringify(value)).not.toContain(folder);
  });

  test("tells a run's series, and what is added to it", async () => {
    const path = join(folder, "growing");
    makeRun(path, { steps: 5 });
    const topic = `series:${idOf("growing")}`;
    const messages = await liveUntil(live(`topic=${topic}`), (_, all) => {
      if (all.length === 1) addSteps(path, 6, 8);
      return all.length === 2;
    });
    const steps = messages.map(({ value }) => (value as SeriesChange).steps?.columns.step);
    expect(steps).toEqual([
      [1, 2, 3, 4, 5],
      [5, 6, 7, 8],
    ]);
    rmSync(path, { recursive: true });
  });

  test("tells once what does not change", async () => {
    const path = join(folder, "growing");
    makeRun(path, { steps: 1 });
    const still = `run:${idOf("one")}`;
    let steps = 1;
    // Series are looked at twice as often as runs.
    const messages = await liveUntil(
      live(`topic=${still}&topic=series:${idOf("growing")}`),
      ({ topic }, all) => {
        if (topic !== still) addSteps(path, ++steps, steps);
        return all.length >= 7;
      },
    );
    expect(messages.filter(({ topic }) => topic === still)).toHaveLength(1);
    rmSync(path, { recursive: true });
  });

  test("has no more points than are asked for", async () => {
    const topic = `series:${idOf("two")}`;
    const [{ value }] = (await liveUntil(live(`topic=${topic}&points=50`), () => true)) as [LiveMessage];
    expect((value as SeriesChange).steps?.columns.step).toHaveLength(30);
    makeRun(join(folder, "long"), { steps: 3000 });
    const long = live(`topic=series:${idOf("long")}&points=50`);
    const [{ value: many }] = (await liveUntil(long, () => true)) as [LiveMessage];
    expect((many as SeriesChange).steps).toMatchObject({ width: 64 });
    expect((many as SeriesChange).steps?.columns.step).toHaveLength(Math.ceil(3000 / 64));
    rmSync(join(folder, "long"), { recursive: true });
  });

  test("says of what is not there that it is gone, beside what is", async () => {
    const query = `topic=run:${encodeURIComponent("../../etc")}&topic=run:0123456789ab&topic=run:${idOf("one")}`;
    const messages = await liveUntil(live(query), (_, all) => all.length === 3);
    expect(messages.map(({ topic, gone }) => [topic, gone])).toEqual([
      ["run:../../etc", true],
      ["run:0123456789ab", true],
      [`run:${idOf("one")}`, undefined],
    ]);
  });

  test("refuses what it does not know", async () => {
    const many = Array.from({ length: 129 }, (_, i) => `topic=run:${i}`).join("&");
    const refusals = [
      "",
      "topic=nothing:1",
      "topic=toString",
      "topic=overview&points=7",
      "topic=overview&points=x",
      many,
    ];
    const messages = await Promise.all(
      refusals.map(async (query) => {
        const response = await fetch(live(query));
        return `${response.status} ${((await response.json()) as { error: { message: string } }).error.message}`;
      }),
    );
    expect(messages).toEqual([
      "400 topic: 1 to 128 are given, and not 0",
      "400 topic: there is no nothing, but overview, run, series, study",
      "400 topic: there is no toString, but overview, run, series, study",
      "400 points: a whole number from 50 to 4000 was expected",
      "400 points: a whole number from 50 to 4000 was expected",
      "400 topic: 1 to 128 are given, and not 129",
    ]);
  });
});

test("says in which settings runs differ, of those that are there", async () => {
  makeRun(join(folder, "other"), { promptLossWeight: 0.5, model: "/models/tiny" });
  const query = ["one", "other", "none"].map((name) => `run=${idOf(name)}`).join("&");
  expect(await (await fetch(`${root}studio/api/differences?${query}`)).json()).toEqual({
    keys: ["loss.promptLossWeight"],
    runs: { [idOf("one")]: ["0.1"], [idOf("other")]: ["0.5"] },
  });
  rmSync(join(folder, "other"), { recursive: true });
});

describe("studies", () => {
  const id = idOf("study");
  beforeAll(() => {
    mkdirSync(join(folder, "study"));
    writeStudy(
      join(folder, "study"),
      madeStudy({ ratios: [{ ratio: 0.1, curvature: 2 }], models: ["small"] }),
    );
  });
  afterAll(() => rmSync(join(folder, "study"), { recursive: true }));

  test("every cell says how far it is, and what it scored", async () => {
    const [{ value }] = (await liveUntil(live(`topic=study:${id}`), () => true)) as [LiveMessage];
    const { counts, factors, cells, measures } = value as StudyDetail;
    expect(counts).toEqual({ done: 18, failed: 1, running: 0, waiting: 1 });
    expect(factors).toEqual(["dataset", "model", "plw", "seed"]);
    expect(cells.find(({ status }) => status === "failed")?.failure?.message).toBe(FAILURE);
    const done = cells.find(({ status }) => status === "done")!;
    expect(Object.keys(done.scores).sort()).toEqual(measures.map(({ name }) => name).sort());
    expect(measures.find(({ name }) => name === "held-out: completion_loss")?.higherIsBetter).toBe(false);
  });

  test("their results are analyzed in a thread: the server answers meanwhile", async () => {
    const ends: string[] = [];
    const analysis = fetch(`${root}studio/api/studies/${id}/analysis`).then((response) => {
      ends.push("analysis");
      return response.json() as Promise<StudyAnalysis>;
    });
    expect((await fetch(`${root}health`)).status).toBe(200);
    ends.push("health");
    const { verdict, scores } = await analysis;
    expect(ends).toEqual(["health", "analysis"]);
    expect(verdict).toMatch(/class="verdict"/);
    expect(scores.match(/<svg class="chart"/g)?.length).toBeGreaterThan(5);
    expect(verdict + scores).not.toContain("<script");
  });

  test("their report is the one that the command writes", async () => {
    const response = await fetch(`${root}studio/api/studies/${id}/report`);
    expect(response.headers.get("content-security-policy")).toBe("sandbox allow-scripts allow-downloads");
    const { path } = await writeStudyReport(join(folder, "study"), { output: join(folder, "report.html") });
    const written = readFileSync(path, "utf8");
    expect(await response.text()).toBe(written);
    rmSync(path);
  });

  test("without results there is nothing to analyze, with bad ones that is said", async () => {
    const empty = join(folder, "empty");
    makeRun(join(empty, "cells/a/run"));
    writeFileSync(join(empty, "cells.json"), '{ "cells": [{ "id": "a", "levels": {} }] }');
    const asked = async (name: string): Promise<string> => {
      const response = await fetch(`${root}studio/api/studies/${idOf(name)}/analysis`);
      return `${response.status} ${((await response.json()) as { error: { message: string } }).error.message}`;
    };
    expect(await asked("empty")).toBe("404 the study has no results yet");
    writeFileSync(join(empty, "study.json"), "{");
    writeFileSync(join(empty, "results.jsonl"), "");
    expect(await asked("empty")).toMatch(/^400 .*study\.json: /);
    expect(await asked("none")).toMatch(/^404 there is no study/);
    rmSync(empty, { recursive: true });
  });
});

describe("the page", () => {
  test("may load nothing of others, and is sent small", async () => {
    const page = await fetch(`${root}studio/`);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'; script-src 'self'");
    const text = await page.text();
    expect(text).not.toMatch(/(src|href)="https?:/);
    const asset = /src="\/studio\/(assets\/[^"]+)"/.exec(text)![1];
    const script = await fetch(`${root}studio/${asset}`, { headers: { "accept-encoding": "gzip" } });
    expect(script.headers.get("content-encoding")).toBe("gzip");
    expect(script.headers.get("cache-control")).toContain("immutable");
    expect((await fetch(root)).url).toBe(`${root}studio/`);
  });

  test("what is no file of the page is not found, wherever it leads", async () => {
    for (const path of [
      "/studio/../../package.json",
      "/studio/..%2f..%2fpackage.json",
      "/studio/assets/../../x",
    ])
      expect(await status(path), path).toBe(404);
    expect(await status("/studio/api/nothing")).toBe(404);
  });
});

describe("access", () => {
  test("pages of other origins and names are refused", async () => {
    expect(await status("/studio/api/live?topic=overview", { host: "evil.example" })).toBe(403);
    expect(await status("/studio/", { host: "evil.example" })).toBe(403);
    expect(await status("/studio/api/live?topic=overview", { origin: "http://evil.example" })).toBe(403);
  });

  test("a key guards all that is told, and the page asks for it", async () => {
    const guarded = await serveModels([], { port: 0, apiKey: "secret", part: studioPart(folder) });
    const address = new URL("/studio/", guarded.url).href;
    expect((await fetch(address)).status).toBe(200);
    expect((await fetch(`${address}api/live?topic=overview`)).status).toBe(401);
    const ending = new AbortController();
    const headers = { authorization: "Bearer secret" };
    const response = await fetch(`${address}api/live?topic=overview`, { headers, signal: ending.signal });
    expect(response.status).toBe(200);
    ending.abort();
    await guarded.close(0);
  });
});
