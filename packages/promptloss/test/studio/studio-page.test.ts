/// <reference lib="dom" />
// The studio in a real browser, as the command serves it.
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { compiled } from "../../../../test/compiled.ts";
import { needs } from "../../../../test/needs.ts";
import { FolderLock } from "../../src/files/lock.ts";
import { idOf } from "../../src/studio/folder/scan.ts";
import { chromiumPath, launch, type Opened, open } from "../browser.ts";
import { promptloss, startPromptloss } from "../command.ts";
import { madeStudy } from "../report/made-study.ts";
import { writeStudy } from "../report/written-study.ts";
import { type ServeProcess, startStudio } from "../serving.ts";
import { tinyFolder } from "../tiny-folder.ts";
import { TINY_BYTES } from "../tokenizers.ts";
import { trainingFolder } from "../training-folder.ts";
import { addSteps, makeRun } from "./made-run.ts";
import { checkPage, VIEWS } from "./page-checks.ts";

const LONG_NAME = "a-run-whose-name-is-far-too-long-for-its-place/and-one-more";

let folder: string;
let studio: ServeProcess;
let browser: Browser;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "studio-page-"));
  makeRun(join(folder, "first"), { promptLossWeight: 0.01 });
  writeFileSync(
    join(folder, "first/generations.jsonl"),
    [
      { prompt: "Name a color.\nBe brief.", reference: "red", before: "once upon a time", after: "red" },
      { prompt: "<b>Name</b> a color.", reference: "blue", before: "green", after: "green" },
    ]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(""),
  );
  makeRun(join(folder, LONG_NAME), { steps: 2500, model: "/models/other" });
  const failed = {
    reason: "failed",
    step: 5,
    error: { name: "TrainingError", message: "no", hint: "yes" },
    at: "",
  };
  makeRun(join(folder, "failed"), { steps: 5, of: 20, end: failed as never });
  makeRun(join(folder, "lost"), { steps: 5, of: 20, end: null });
  mkdirSync(join(folder, "study"));
  writeStudy(join(folder, "study"), madeStudy({ ratios: [{ ratio: 0.1, curvature: 2 }], models: ["small"] }));
  studio = await startStudio(folder, "--grace", "0");
  if (chromiumPath !== undefined) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  studio.child.kill("SIGTERM");
  await studio.ended;
  rmSync(folder, { recursive: true });
});

function show(hash: string, view: (typeof VIEWS)[number] = VIEWS[0]): Promise<Opened> {
  return open(browser, `${studio.url}${hash}`, view);
}

function origin(): string {
  return new URL("/", studio.url).href;
}

needs("chromium", chromiumPath).describe("the studio in Chromium", () => {
  test.each(VIEWS)("the list of runs at $width pixels, $colorScheme", async (view) => {
    const opened = await show("", view);
    await opened.page.getByRole("link", { name: "first" }).waitFor();
    expect(await opened.page.getByRole("row").count()).toBe(view.width < 640 ? 4 : 5);
    await checkPage(opened, origin());
    await opened.page.close();
  });

  test.each(VIEWS)("a run at $width pixels, $colorScheme", async (view) => {
    const opened = await show(`#/runs/${idOf("first")}`, view);
    const { page } = opened;
    await page.getByRole("img", { name: /^Loss\. training: 20 points/ }).waitFor();
    expect(await page.getByRole("img").count()).toBe(7);
    await checkPage(opened, origin());
    await page.close();
  });

  test("a long run is drawn by means, and says so", async () => {
    const opened = await show(`#/runs/${idOf(LONG_NAME)}`);
    await opened.page.getByText("A point is the mean of 4 steps").waitFor();
    await opened.page.getByRole("img", { name: /^Loss\. training: 625 points/ }).waitFor();
    await checkPage(opened, origin());
    await opened.page.close();
  });

  test.each(VIEWS)("a comparison at $width pixels, $colorScheme", async (view) => {
    const opened = await show("#/compare", view);
    const { page } = opened;
    await page.getByRole("img", { name: /^Training loss\. .*first: 20 points/ }).waitFor();
    expect(await page.getByRole("table").getByRole("link").count()).toBe(4);
    await page.getByText("4 of 4 runs").click();
    await checkPage(opened, origin());
    await page.close();
  });

  test("runs are chosen for a comparison, and colored by their weights; the address says which", async () => {
    const { page, complaints } = await show("");
    await page.getByRole("searchbox").fill("f");
    await page.getByRole("link", { name: "Compare these 3" }).click();
    await page.getByText("3 of 4 runs").click();
    await page.getByRole("checkbox", { name: /^lost/ }).check();
    await page.getByRole("checkbox", { name: /^failed/ }).uncheck();
    await page
      .getByRole("img", { name: /^Training loss\. (?=.*first: 20 points)(?=.*lost: 5 points)/ })
      .waitFor();
    await page.getByLabel("Color by").selectOption("prompt loss weight");
    await page.getByText("Prompt loss weight, from low to high: 0.010.1").waitFor();
    const warning = page.getByText("These runs weigh prompts differently");
    await warning.waitFor();
    // In what the recipes differ: the long run has another model.
    expect(await page.getByRole("columnheader").allInnerTexts()).toEqual([
      ...["Run", "PLW", "State", "Steps", "Loss", "Held-out loss", "model"],
    ]);
    const ids = ["first", "lost", LONG_NAME].map(idOf);
    expect(ids.filter((id) => !page.url().includes(id))).toEqual([]);
    expect(page.url()).not.toContain(idOf("failed"));
    // Two of one weight.
    await page.getByRole("checkbox", { name: /^first/ }).uncheck();
    await warning.waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByText("Choose some runs.").waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test.each(VIEWS)("a study at $width pixels, $colorScheme", async (view) => {
    const opened = await show(`#/studies/${idOf("study")}`, view);
    const { page } = opened;
    await page.getByRole("heading", { name: "short-and-long" }).waitFor();
    await page.getByText("18 of 20 cells done; 1 failed, 1 waiting").waitFor();
    // Charts in the shadow tree, which Playwright looks into.
    await page
      .getByRole("img", { name: /^All tasks: score/ })
      .first()
      .waitFor({ timeout: 60_000 });
    await checkPage(opened, origin());
    await page.close();
  });

  test("a study's matrix fills up, and shows scores from worst to best", async () => {
    const { page, complaints } = await show("#/studies");
    await page.getByRole("link", { name: "short-and-long" }).click();
    const cells = join(folder, "study/cells");
    const waiting = readdirSync(cells).find((id) => !existsSync(join(cells, id, "state.json")))!;
    await page.getByText("waiting", { exact: true }).waitFor();
    const lock = FolderLock.take(join(cells, waiting))!;
    makeRun(join(cells, waiting, "run"), { steps: 5, of: 20, end: null });
    writeFileSync(join(cells, waiting, "state.json"), '{ "state": "training", "attempts": 1 }');
    await page.getByRole("link", { name: /step 5 of 20/ }).waitFor();
    addSteps(join(cells, waiting, "run"), 6, 15);
    await page.getByText("75 %").waitFor();
    lock.release();
    await page
      .getByRole("combobox", { name: /^Show/ })
      .selectOption({ label: "piqa: acc (higher is better)" });
    const tile = page.getByRole("link", { name: /plw 0.5, seed 1: piqa: acc 0\.\d+/ });
    expect(await tile.evaluate((each) => each.style.background)).toMatch(/^var\(--h\d\)$/);
    await page.getByRole("combobox", { name: /^Across/ }).selectOption("seed");
    expect(await page.getByRole("columnheader", { name: "seed" }).count()).toBe(1);
    expect(page.url()).toContain("across=seed");
    await page.getByRole("link", { name: "Compare the cells' runs" }).click();
    await page.getByRole("heading", { name: "Compare runs" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("the report is inside, and can be saved from", async () => {
    const opened = await show(`#/studies/${idOf("study")}/report`);
    const { page } = opened;
    const report = page.frameLocator("iframe");
    await report.getByRole("heading", { name: "Verdict" }).waitFor({ timeout: 60_000 });
    const coming = page.waitForEvent("download");
    await report.getByRole("button", { name: /figure 1 as SVG/ }).click();
    expect((await coming).suggestedFilename()).toBe("short-and-long-figure-1.svg");
    await checkPage(opened, origin());
    await page.close();
  });

  test.each(VIEWS)("what a run said before and after at $width pixels, $colorScheme", async (view) => {
    const opened = await show(`#/runs/${idOf("first")}`, view);
    const { page } = opened;
    await page.getByRole("link", { name: "What it said before and after" }).click();
    await page.getByText("2 of 2 rows").waitFor();
    expect(await page.getByRole("heading", { level: 2 }).allInnerTexts()).toEqual([
      ...["Before", "After", "Data", "Before", "After", "Data"],
    ]);
    await page.getByText("as in the data").waitFor();
    await page.getByLabel("Only those that changed").check();
    await page.getByText("1 of 2 rows").waitFor();
    await checkPage(opened, origin());
    await page.close();
  });

  test("a run that failed says why", async () => {
    const opened = await show(`#/runs/${idOf("failed")}`);
    expect(await opened.page.getByRole("alert").innerText()).toMatch(/TrainingError: no\s+yes/);
    await checkPage(opened, origin());
    await opened.page.close();
  });

  test("the list is searched; charts are zoomed and smoothed, and the address says how", async () => {
    const { page, complaints } = await show("");
    await page.getByRole("searchbox").fill("lost");
    await page.getByRole("link", { name: "first" }).waitFor({ state: "detached" });
    await page.getByRole("link", { name: "lost" }).click();
    await page.getByRole("img", { name: /^Loss\. training: 5 points/ }).waitFor();
    await page.getByRole("slider").fill("0.5");
    await page.getByLabel("From step").fill("2");
    await page.getByLabel("From step").blur();
    await page.getByLabel("Logarithmic").check();
    expect(page.url()).toMatch(/\?smooth=0\.5&range=2\.\.&log=1$/);
    // A drag over the middle of a chart.
    const box = (await page.getByRole("img").first().boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.4, box.y + 80);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.6, box.y + 80, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => page.url()).toMatch(/range=3\.\d+\.\.3\.\d+/);
    await page.getByRole("button", { name: "Show all" }).click();
    expect(page.url()).not.toContain("range");
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("views are reached with the keyboard", async () => {
    const { page } = await show("");
    await page.getByRole("link", { name: "first" }).waitFor();
    const reached: string[] = [];
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press("Tab");
      reached.push(await page.evaluate(() => document.activeElement?.textContent ?? ""));
    }
    expect(reached.slice(0, 3)).toEqual(["Skip to content", "promptloss studio", "Runs"]);
    await page.close();
  });

  test("an address that leads nowhere says so", async () => {
    for (const [hash, title] of [
      ["#/nothing", "There is no such page"],
      ["#/runs/0123456789ab", "There is no such run"],
    ] as const) {
      const opened = await show(hash);
      await opened.page.getByRole("heading", { name: title }).waitFor();
      await checkPage(opened, origin());
      await opened.page.close();
    }
  });

  test("steps that a run does while it is looked at are drawn", async () => {
    const path = join(folder, "growing");
    makeRun(path, { steps: 3, of: 20, end: null });
    const { page, complaints } = await show(`#/runs/${idOf("growing")}`);
    await page.getByRole("img", { name: /^Loss\. training: 3 points/ }).waitFor();
    addSteps(path, 4, 9);
    await page.getByRole("img", { name: /^Loss\. training: 9 points/ }).waitFor();
    await page.getByText("9 of 20").waitFor();
    expect(complaints).toEqual([]);
    await page.close();
    rmSync(path, { recursive: true });
  });

  test("a training is followed from its first step to its end", async () => {
    const training = trainingFolder();
    const file = training.recipe(
      "live",
      "template: alpaca\nloss: { promptLossWeight: 0.1 }\nevaluation: { rows: 4, every: 5 }\n" +
        "training: { epochs: 4, batchSize: 4, learningRate: 1e-3, precision: float32, threads: 1, logEvery: 1 }\n",
    );
    const own = await startStudio(training.path, "--grace", "0");
    const opened = await open(browser, own.url, VIEWS[0]);
    const { page } = opened;
    await page.getByText("There is no run here yet").waitFor();
    const child = startPromptloss(["train", file]);
    await page.getByRole("link", { name: "live" }).click({ timeout: 90_000 });
    await page.getByText("completed").waitFor({ timeout: 90_000 });
    await page.getByText("20 of 20").waitFor();
    await page.getByRole("img", { name: /^Loss\. training: 20 points.* held out: 4 points/ }).waitFor();
    await page.getByText(/held out: 4 rows of 24/).waitFor();
    await checkPage(opened, new URL("/", own.url).href);
    if (child.exitCode === null) await once(child, "close");
    await page.close();
    own.child.kill("SIGTERM");
    expect(await own.ended).toEqual([0, null]);
    expect(own.errors()).toBe("");
    training.remove();
  });

  test.each(VIEWS)(
    "a chat without a model says how to have one, at $width pixels, $colorScheme",
    async (view) => {
      const opened = await show("#/chat", view);
      await opened.page.getByText("This studio serves no model.").waitFor();
      await checkPage(opened, origin());
      await opened.page.close();
    },
  );

  test("two models answer side by side, and can be stopped", async () => {
    const model = tinyFolder(TINY_BYTES);
    cpSync(model, join(folder, "models/other"), { recursive: true });
    const own = await startStudio(folder, model, join(folder, "models/other"), "--grace", "0");
    const opened = await open(browser, `${own.url}#/chat`, VIEWS[0]);
    const { page, complaints } = opened;
    await page.getByLabel("Beside it").selectOption("other");
    await page.getByLabel("New tokens").fill("8");
    await page.getByRole("textbox", { name: "Message" }).fill("Name a color.");
    await page.keyboard.press("Enter");
    await page.getByText("cut by the limit of new tokens").nth(1).waitFor();
    // The same weights under two names, at temperature 0.
    const [one, two] = await page.locator(".answer .text").allInnerTexts();
    expect(one).not.toBe("");
    expect(two).toBe(one);
    await checkPage(opened, new URL("/", own.url).href);
    await page.getByLabel("New tokens").fill("400");
    await page.getByRole("textbox", { name: "Message" }).fill("Another one.");
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("stopped").first().waitFor();
    await page.getByRole("button", { name: "Begin anew" }).click();
    expect(await page.locator(".turn").count()).toBe(0);
    expect(complaints).toEqual([]);
    // What the server refuses is said in its words.
    await page.getByLabel("New tokens").fill("100000");
    await page.getByRole("textbox", { name: "Message" }).fill("A third one.");
    await page.keyboard.press("Enter");
    await page
      .getByText(/max_tokens: 100000 is more than/)
      .first()
      .waitFor();
    await page.close();
    own.child.kill("SIGTERM");
    expect(await own.ended).toEqual([0, null]);
    expect(own.errors()).toBe("");
  });

  test("a studio with a key asks for it, and opens with the right one", async () => {
    const guarded = await startStudio(folder, "--grace", "0", "--api-key", "secret");
    const { page } = await open(browser, guarded.url, VIEWS[0]);
    await page.getByLabel("The key").fill("wrong");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByText("This key is not the one").waitFor();
    await page.getByLabel("The key").fill("secret");
    await page.getByRole("button", { name: "Open" }).click();
    await page.getByRole("link", { name: "first" }).waitFor();
    await page.close();
    guarded.child.kill("SIGTERM");
    await guarded.ended;
  });
});

describe("promptloss studio", () => {
  test("says what is wrong", () => {
    const failure = (...args: string[]): string => {
      const { status, stderr } = promptloss(["studio", "--port", "0", ...args]);
      return `${status} ${stderr}`;
    };
    expect([
      failure("/no/such"),
      failure(folder, "--name", "x"),
      failure(folder, "--dtype", "float32"),
      failure(folder, "--host", "0.0.0.0"),
    ]).toMatchInlineSnapshot(`
      [
        "1 error: /no/such: there is no such folder
      hint: name the folder below which your runs and studies lie
      ",
        "1 error: --name is for one model, and there are 0
      hint: leave it out, or serve one model
      ",
        "1 error: --dtype is for models, and none is named
      hint: name one, or leave it out
      ",
        "1 error: 0.0.0.0 is open to other machines, and no key is asked for
      hint: give --api-key-env or --api-key, or listen on 127.0.0.1
      ",
      ]
    `);
  });

  test("its page is small: all of it below 500 kB, what is loaded first below 40 kB, compressed", () => {
    const page = compiled("packages/promptloss", "studio-page");
    const size = (name: string): number => gzipSync(readFileSync(join(page, "assets", name))).length;
    const sum = (names: readonly string[]): number => names.reduce((total, name) => total + size(name), 0);
    expect(sum(readdirSync(join(page, "assets")))).toBeLessThan(500_000);
    const html = readFileSync(join(page, "index.html"), "utf8");
    const first = Array.from(html.matchAll(/"\/studio\/assets\/([^"]+)"/g), ([, name]) => name!);
    expect(first.length).toBeGreaterThan(1);
    expect(sum(first)).toBeLessThan(40_000);
  });

  test("the licenses of what its page is built from come with it", () => {
    const licenses = readFileSync(compiled("packages/promptloss", "studio-page/licenses.md"), "utf8");
    for (const name of ["echarts", "preact", "zrender"])
      expect(licenses).toMatch(new RegExp(`^## .*${name}`, "m"));
  });
});
