/// <reference lib="dom" />
// The page on weights in a real browser: rows in, weights and shares as the commands say them, a recipe, and a run that is
// followed to its end.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { partOfClass } from "../../src/data/token-parts.ts";
import type { PreviewRow } from "../../src/preview/index.ts";
import { readRecipe } from "../../src/recipe/index.ts";
import type { WeightsSettings } from "../../src/studio/weights/answer.ts";
import { chromiumPath, launch, type Opened, open } from "../browser.ts";
import { promptloss } from "../command.ts";
import { writeStudy } from "../report/written-study.ts";
import { type ServeProcess, startStudio } from "../serving.ts";
import { studyResults } from "../study/made-results.ts";
import { type TrainingFolder, trainingFolder } from "../training-folder.ts";
import { checkPage, VIEWS } from "./page-checks.ts";

let folder: TrainingFolder;
let studio: ServeProcess;
let browser: Browser;
beforeAll(async () => {
  folder = trainingFolder();
  const model = join(folder.path, "model");
  writeStudy(join(folder.path, "study"), studyResults({ ratios: [RATIO], best: 0.4 }));
  studio = await startStudio(folder.path, model, "--jobs", join(folder.path, "jobs"), "--grace", "0");
  if (chromiumPath !== undefined) browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  studio.child.kill("SIGTERM");
  await studio.ended;
  expect(studio.errors()).toBe("");
  folder.remove();
});

function origin(): string {
  return new URL("/", studio.url).href;
}

/** The page with some rows in it. */
async function weights(text: string, view: (typeof VIEWS)[number] = VIEWS[0]): Promise<Opened> {
  const opened = await open(browser, `${studio.url}#/weights`, view);
  await opened.page.getByLabel("Rows:").fill(text);
  await opened.page.getByRole("heading", { name: "What was read" }).waitFor();
  return opened;
}

const ROWS = [
  { instruction: "Name a colour.", input: "Be brief.", output: "green" },
  { instruction: "Say red.", output: "red", weight: 0.5 },
];

/** Rg of these rows with the folder's tokenizer. */
const RATIO = 0.208;

const TEXT = ROWS.map((row) => JSON.stringify(row)).join("\n");

/** "Prompt's share of the loss: 38.0 %" → 38. */
async function promptShare(page: Page): Promise<number> {
  const text = await page.getByText(/^Prompt's share of the loss: /).innerText();
  return Number(/([\d.]+) %/.exec(text)![1]);
}

/** What `promptloss preview` says of the rows. */
function preview(plw: number): readonly PreviewRow[] {
  const file = join(folder.path, "preview.jsonl");
  writeFileSync(file, TEXT);
  const args = ["--tokenizer", join(folder.path, "model"), "--template", "tokenizer", "--plw", String(plw)];
  const { stdout, stderr } = promptloss(["preview", file, ...args, "--json"]);
  if (stdout === "") throw new Error(stderr);
  return (JSON.parse(stdout) as { rows: PreviewRow[] }).rows;
}

needs("chromium", chromiumPath).describe("the page on weights in Chromium", () => {
  test.each(VIEWS)("at $width pixels, $colorScheme", async (view) => {
    const bad = '{"instruction": "An instruction without what follows it"}';
    const opened = await weights(`${TEXT}\n${bad}`, view);
    await opened.page.getByText("Best of the weights compared").waitFor();
    await opened.page.getByText("promptLossWeight: 0.1").waitFor();
    await checkPage(opened, origin());
    expect(await unreadableTokens(opened.page)).toEqual([]);
    await opened.page.close();
  });

  test("weights and the prompt's share are those of promptloss preview, as the slider moves", async () => {
    const { page, complaints } = await weights(TEXT);
    const slider = page.getByRole("slider");
    await slider.waitFor();
    for (const [keys, plw] of [
      [["Home"], 0],
      [["End"], 1],
      [["PageDown", "ArrowLeft"], 0.464],
    ] as const) {
      await slider.focus();
      for (const key of keys) await page.keyboard.press(key);
      const weight = Number(await page.getByLabel("Prompt loss weight as a number").inputValue());
      if (keys.length === 1) expect(weight).toBe(plw);
      else expect(weight).toBeGreaterThan(0.1);
      const rows = preview(weight);
      const all = rows.flatMap(({ totals }) => totals);
      const sum = all.reduce((total, each) => total + each.weight, 0);
      const prompt = all.filter((each) => partOfClass(each.class) === "prompt");
      const share = prompt.reduce((total, each) => total + each.weight, 0) / sum;
      expect(await promptShare(page)).toBeCloseTo(100 * share, 1);
      // Runs, in the words of a screen reader.
      const told = await page.locator(".run .unseen").allInnerTexts();
      const expected = rows.flatMap(({ tokens }) =>
        tokens.flatMap((token, i) =>
          token.class === tokens[i - 1]?.class ? [] : [`weight ${Number(token.weight.toPrecision(4))}:`],
        ),
      );
      expect(told.map((text) => text.trim().replace(/^.*, (?=weight)/, ""))).toEqual(expected);
    }
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("the mouse moves the slider, and the ground of the prompt's tokens follows; the recommendation is taken", async () => {
    const { page } = await weights(TEXT);
    const ground = (): Promise<string> =>
      page
        .locator(".run.prompt .token")
        .first()
        .evaluate((token) => getComputedStyle(token).backgroundColor);
    const box = (await page.getByRole("slider").boundingBox())!;
    await page.mouse.click(box.x + 2, box.y + box.height / 2);
    expect(await promptShare(page)).toBe(0);
    const none = await ground();
    await page.mouse.click(box.x + box.width - 2, box.y + box.height / 2);
    expect(await page.getByLabel("Prompt loss weight as a number").inputValue()).toBe("1");
    expect(await ground()).not.toBe(none);
    await page.getByRole("button", { name: "Take it" }).click();
    const advised = await page.locator(".advice .big").innerText();
    expect(await page.getByLabel("Prompt loss weight as a number").inputValue()).toBe(advised);
    const settings = await (await fetch(new URL("/studio/api/weights", studio.url))).json();
    const { parameters } = (settings as WeightsSettings).tokenizers[0]!;
    const asked = ["--rg", await ratio(page), "--parameters", String(parameters)];
    const { stdout } = promptloss(["recommend", ...asked, "--json"]);
    expect(String((JSON.parse(stdout) as { plw: number }).plw)).toBe(advised);
    await page.close();
  });

  test("the recommendation rests on runs of a study of the folder", async () => {
    const { page, complaints } = await weights(TEXT);
    await page.getByText("a wide prior from the paper's facts; no run on this data").waitFor();
    await page.getByLabel("on runs of").selectOption("study");
    await page.getByText(/^19 runs of your own, by quiz accuracy$/).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("normalizations share differently; loss-share gives the prompt what is asked", async () => {
    const { page } = await weights(TEXT);
    await page.getByLabel("Prompt loss weight as a number").fill("0.25");
    await page.getByLabel("Prompt loss weight as a number").blur();
    await page.getByRole("radio", { name: /loss-share/ }).check();
    expect(await promptShare(page)).toBe(25);
    await page.getByText("normalization: loss-share").waitFor();
    await page.getByRole("radio", { name: /segment-mean/ }).check();
    // Per-row weights are averaged in: not 20 %.
    expect(await promptShare(page)).not.toBe(25);
    await page.close();
  });

  test("the model's own losses give the shares that promptloss loss gives", async () => {
    const { page, complaints } = await weights(TEXT);
    await page.getByRole("button", { name: "Measure with model" }).click();
    const told = await page.getByText(/^As model has it now: prompt [\d.]+ %/).innerText();
    const file = join(folder.path, "measured.yaml");
    writeFileSync(join(folder.path, "measured.jsonl"), TEXT);
    writeFileSync(
      file,
      "model: ./model\ndata: measured.jsonl\ntemplate: tokenizer\nloss: { promptLossWeight: 0.1, normalization: weight-sum }\n",
    );
    const { stdout, stderr } = promptloss(["loss", join(folder.path, "model"), file]);
    if (stdout === "") throw new Error(stderr);
    const lines = stdout.trim().split("\n").slice(0, ROWS.length);
    const sums = lines.map((line, i) => {
      const { prompt, completion } = JSON.parse(line) as Record<string, { loss: number; tokens: number }>;
      const { weight = 1 } = ROWS[i]!;
      const sum = ({ loss, tokens }: { loss: number; tokens: number }): number => weight * loss * tokens;
      return { prompt: 0.1 * sum(prompt!), all: 0.1 * sum(prompt!) + sum(completion!) };
    });
    const [part, whole] = [sums[0]!.prompt + sums[1]!.prompt, sums[0]!.all + sums[1]!.all];
    expect(Number(/([\d.]+) %/.exec(told)![1])).toBeCloseTo((100 * part) / whole, 1);
    await page.getByRole("group", { name: /^Text of line 1/ }).focus();
    await page.keyboard.press("End");
    await page.getByText(/· stop token · weight 1 · loss \d/).waitFor();
    // Another length, other losses.
    await page.getByLabel("Most tokens of a row").fill("500");
    await page.getByRole("button", { name: "Measure with model" }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("arrow keys walk over tokens, and say what each is", async () => {
    const { page } = await weights(TEXT);
    await page.getByRole("group", { name: /^Text of line 1/ }).focus();
    await page.keyboard.press("ArrowRight");
    await page
      .getByText(/^token 1 of \d+: “<s>” · id 1, special · prompt, template · never predicted$/)
      .waitFor();
    await page.keyboard.press("End");
    await page.getByText(/· stop token · weight 1$/).waitFor();
    await page.close();
  });

  test("rows that are longer than they may be are cut or left out, as the form says", async () => {
    const { page, complaints } = await weights(TEXT);
    const first = page.getByRole("article", { name: "Tokens of line 1" });
    await page.getByLabel("Most tokens of a row").fill("20");
    await first.getByText(/longer than 20 tokens: training stops at it/).waitFor();
    await page.getByText("the loss of a batch is not defined: weight-sum divides by 0").waitFor();
    await page.getByLabel("Longer rows").selectOption("truncate-prompt");
    await first.getByText("too long: cut from the left of the prompt").waitFor();
    await page.getByText("overflow: truncate-prompt").waitFor();
    const file = join(folder.path, "long.jsonl");
    writeFileSync(file, TEXT);
    const args = ["--tokenizer", join(folder.path, "model"), "--template", "tokenizer", "--plw", "0.1"];
    const cut = ["--max-length", "20", "--overflow", "truncate-prompt", "--json"];
    const { rows } = JSON.parse(promptloss(["preview", file, ...args, ...cut]).stdout) as {
      rows: PreviewRow[];
    };
    const places = await first
      .locator(".token.cut")
      .evaluateAll((all) => all.map((token) => Number((token as HTMLElement).dataset.place)));
    expect(places).toEqual(rows[0]!.tokens.filter((token) => token.cut).map(({ index }) => index));
    expect(places.length).toBeGreaterThan(5);
    await page.getByLabel("Longer rows").selectOption("drop");
    await first.getByText("too long: the row is dropped").waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("pasted rows are saved as the file that the recipe names", async () => {
    const { page } = await weights(`${TEXT}\n{"instruction": "bad"}`);
    const coming = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save the rows as rows.jsonl" }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe("rows.jsonl");
    const lines = readFileSync((await download.path())!, "utf8")
      .trim()
      .split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(ROWS);
    await page.close();
  });

  test("every bad row has its line, field and cause", async () => {
    const { page, complaints } = await weights(
      `${TEXT}\n{"instruction": "a", "output": 3}\n{"instruction":\n`,
    );
    const table = page.getByRole("alert").getByRole("row");
    expect(await table.allInnerTexts()).toEqual([
      "Line\tField\tCause",
      "3\toutput\ttext was expected, found the number 3",
      "4\t\tnot JSON: Unexpected end of JSON input",
    ]);
    await page.getByLabel("Rows:").fill("no rows");
    await page.getByText(/^pasted rows: neither JSON, JSON lines nor Parquet by its content/).waitFor();
    await page.getByLabel("The text is").selectOption("text");
    await page.getByText("1 of 1").waitFor();
    // The browser itself notes every refusal.
    expect(complaints.filter((each) => !each.includes("400 (Bad Request)"))).toEqual([]);
    await page.close();
  });

  test("a file is read in the browser, and a larger one as far as it goes", async () => {
    const { page } = await open(browser, `${studio.url}#/weights`, VIEWS[0]);
    await page.getByLabel("File").setInputFiles(join(folder.path, "rows.json"));
    await page.getByText("24 of 24").waitFor();
    await page.getByText("data: rows.json").waitFor();
    // Rows that are refused cost no tokenizing.
    const large = join(folder.path, "large.jsonl");
    const bad = `${JSON.stringify({ instruction: "a".repeat(9000), output: 1 })}\n`;
    writeFileSync(large, `${JSON.stringify(ROWS[0])}\n${bad.repeat(1000)}`);
    await page.getByLabel("File").setInputFiles(large);
    await page
      .getByText(/large\.jsonl has 9 MiB, and 8 MiB are the most: its first lines are taken/)
      .waitFor();
    await page.getByText(/^1 of 929$/).waitFor({ timeout: 60_000 });
    await page.getByText("and 728 more").waitFor();
    await page.close();
  });

  test("a wrong field is told at the field, and no run starts with it", async () => {
    const { page } = await weights(TEXT);
    const rate = page.getByLabel("Learning rate");
    await rate.fill("fast");
    await page.getByText('expected a number, found the text "fast"').waitFor();
    expect(await rate.getAttribute("aria-invalid")).toBe("true");
    expect(await page.getByRole("button", { name: "Start a run" }).isDisabled()).toBe(true);
    await rate.fill("1e-3");
    await page.getByText("expected a number").waitFor({ state: "detached" });
    await page.close();
  });

  test("the recipe reads as one; a run that starts from the form is followed to its end", async () => {
    const rows = readFileSync(join(folder.path, "rows.json"), "utf8");
    const opened = await weights(`[${rows.slice(1, -1)}, {"instruction": "bad"}]`);
    const { page } = opened;
    // Long enough to be seen while it runs.
    await page.getByLabel("Epochs").fill("40");
    await page.getByLabel("Rows per step").fill("4");
    await page.getByLabel("Prompt loss weight as a number").fill("0.02");
    await page.getByLabel("Prompt loss weight as a number").blur();
    await page.getByText("promptLossWeight: 0.02").waitFor();
    const yaml = await page.locator("pre").innerText();
    const file = join(folder.path, "copied.yaml");
    writeFileSync(file, yaml);
    expect(readRecipe(file)).toMatchObject({
      loss: { promptLossWeight: 0.02 },
      training: { epochs: 40, batchSize: 4 },
    });
    await page.getByRole("button", { name: "Start a run" }).click();
    await page.getByRole("link", { name: "Watch it live" }).click({ timeout: 90_000 });
    await page.getByText("completed").waitFor({ timeout: 90_000 });
    await page.getByText("0.02").first().waitFor();
    await checkPage(opened, origin());
    // The page still holds what was typed.
    await page.getByRole("link", { name: "Weights" }).click();
    expect(await page.getByLabel("Epochs").inputValue()).toBe("40");
    await page.close();
  });
});

/** Rg as the page prints it. */
async function ratio(page: Page): Promise<string> {
  return page.locator("dt", { hasText: "Rg, completion / prompt" }).locator("+ dd").innerText();
}

/** Tokens whose text is below 4.5 to 1 against its own ground, which is the page's under a color. */
function unreadableTokens(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    const pixel = (...colors: string[]): number[] => {
      for (const color of colors) {
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
      }
      return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const luminance = (color: number[]): number => {
      const [r, g, b] = color
        .map((part) => part / 255)
        .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = getComputedStyle(document.body).backgroundColor;
    return [...document.querySelectorAll(".run")].flatMap((run) => {
      const token = run.querySelector(".token") ?? run;
      const { color, backgroundColor } = getComputedStyle(token);
      const [dark, light] = [luminance(pixel(color)), luminance(pixel(ground, backgroundColor))].sort(
        (a, b) => a - b,
      ) as [number, number];
      return (light + 0.05) / (dark + 0.05) < 4.5 ? [token.textContent!] : [];
    });
  });
}
