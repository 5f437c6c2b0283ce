/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// A report in a real browser: nothing is asked of the network, nothing is said on the console, nothing sticks out of
// the page or of its charts, and everything that is written can be read, in light and dark and on paper.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../../../../test/needs.ts";
import { writeStudyReport } from "../../src/report/index.ts";
import { chromiumPath, launch, open } from "../browser.ts";
import { madeStudy } from "./made-study.ts";
import { writeStudy } from "./written-study.ts";

let folder: string;
let path: string;
let hard: string;
let browser: Browser;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "report-page-"));
  writeStudy(folder, madeStudy());
  ({ path } = await writeStudyReport(folder, { date: new Date("2024-01-02") }));
  ({ path: hard } = await writeStudyReport(folder, {
    results: madeStudy({ ...LONG, ratios: [0.1, 0.3, 1, 3].map((ratio) => ({ ratio, curvature: 2 })) }),
    output: join(folder, "hard.html"),
  }));
  if (chromiumPath !== undefined) browser = await launch();
  // Two pages and a browser: minutes where the processor is shared by many.
}, 600_000);
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

const NAME = "a_name_of_a_task_that_is_far_too_long_for_its_chart,strict-match";
/** Names and numbers that need more room than there is. */
const LONG = {
  models: ["organization/a-model-with-a-long-name-instruct", "<script>alert(1)</script>"],
  weights: Array.from({ length: 15 }, (_, i) => (i / 14) ** 3),
  seeds: [1],
  benchmarks: ["one", "two"].map((task) => ({
    ...{ task: `${task}_${NAME}`, metric: `${NAME}_${task}`, group: null, height: 0, scale: 1e6 },
  })),
};

const views = [
  { width: 1280, colorScheme: "light" },
  { width: 1280, colorScheme: "dark" },
  { width: 390, colorScheme: "light" },
  { width: 320, colorScheme: "dark" },
] as const;

needs("chromium", chromiumPath).describe("a report in Chromium", () => {
  test.each(views)("at $width pixels, $colorScheme", async (view) => {
    const { page, complaints, requests } = await open(browser, path, view);
    expect(await page.title()).toBe("short-and-long");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(view.width);
    expect(await textsOutside(page)).toEqual([]);
    expect(await unreadable(page)).toEqual([]);
    expect(await unresolvedColors(page)).toEqual([]);
    expect(await tooSmall(page, view.width)).toEqual([]);
    await page.close();
    expect(complaints).toEqual([]);
    expect(requests).toEqual([]);
  });

  test.each(views)("with names that are too long, at $width pixels, $colorScheme", async (view) => {
    const { page, complaints } = await open(browser, hard, view);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(view.width);
    expect(await textsOutside(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("charts are announced with words, and headings in order", async () => {
    const { page } = await open(browser, path, views[0]);
    const names = await page.getByRole("img").evaluateAll((all) => all.map((one) => one.ariaLabel ?? ""));
    // The narrow heatmaps are hidden here, from readers of all kinds.
    // All tasks, groups, benchmarks, ratios, heatmaps, probes, diagnostics.
    expect(names).toHaveLength(1 + 3 + 6 + 4 + 3 + 9 + 2 * 2);
    expect(names.filter((name) => name.length < 40)).toEqual([]);
    const levels = await page
      .getByRole("heading")
      .evaluateAll((all) => all.map((one) => Number(one.tagName[1])));
    expect(levels.filter((level, i) => level - (levels[i - 1] ?? 0) > 1)).toEqual([]);
    await page.close();
  });

  test("the table can be downloaded", async () => {
    const { page } = await open(browser, path, views[0]);
    const coming = page.waitForEvent("download");
    await page.getByRole("link", { name: "short-and-long.csv" }).click();
    const download = await coming;
    const saved = join(folder, "saved.csv");
    await download.saveAs(saved);
    expect(download.suggestedFilename()).toBe("short-and-long.csv");
    expect(readFileSync(saved, "utf8")).toBe(readFileSync(join(folder, "results.csv"), "utf8"));
    await page.close();
  });

  test("figures can be saved as SVG and PNG, tables as CSV and LaTeX", async () => {
    const { page, complaints, requests } = await open(browser, path, views[0]);
    const saved = async (name: RegExp): Promise<{ name: string; bytes: Buffer }> => {
      const coming = page.waitForEvent("download");
      await page.getByRole("button", { name }).first().click();
      const download = await coming;
      return { name: download.suggestedFilename(), bytes: readFileSync((await download.path())!) };
    };
    const svg = await saved(/figure 1 as SVG/);
    expect(svg.name).toBe("short-and-long-figure-1.svg");
    // It stands alone: no variable of the page, a size, a ground.
    expect(svg.bytes.toString()).toMatch(/^<svg[^>]* width="760"/);
    expect(svg.bytes.toString()).not.toContain("var(");
    const png = await saved(/figure 1 as PNG/);
    expect(png.bytes.subarray(1, 4).toString()).toBe("PNG");
    // Width in the header, three pixels each.
    expect(png.bytes.readUInt32BE(16)).toBe(3 * 760);
    const csv = (await saved(/table 1 as CSV/)).bytes.toString();
    const [header, ...rows] = csv.trim().split("\r\n");
    expect(header).toMatch(/^Tasks,Rg,Shape,/);
    expect(rows.length).toBe(await page.locator("table").first().locator("tbody tr").count());
    const latex = (await saved(/table 1 as LaTeX/)).bytes.toString();
    expect(latex).toContain("\\begin{tabular}");
    expect(latex).toContain("arc\\_challenge");
    expect(latex.match(/\\\\$/gm)).toHaveLength(rows.length + 1);
    expect(complaints).toEqual([]);
    expect(requests.filter((address) => !address.startsWith("blob:"))).toEqual([]);
    await page.close();
  });

  test("prints in light colors within the paper's width", async () => {
    // A4 less its margins, in CSS pixels.
    const { page } = await open(browser, path, { width: 680, colorScheme: "dark" });
    await page.emulateMedia({ media: "print" });
    expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe(
      "rgb(255, 255, 255)",
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(680);
    expect(await unreadable(page)).toEqual([]);
    const pdf = await page.pdf({ format: "A4" });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    await page.close();
  });
});

/** Texts of charts that their charts cut off. */
function textsOutside(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("svg.chart text")].flatMap((text) => {
      const { left, right, top, bottom } = text.getBoundingClientRect();
      const frame = text.closest("svg")!.getBoundingClientRect();
      // A pixel for the rounding of glyphs.
      const inside =
        left >= frame.left - 1 &&
        right <= frame.right + 1 &&
        top >= frame.top - 1 &&
        bottom <= frame.bottom + 1;
      return inside || frame.width === 0 ? [] : [text.textContent ?? ""];
    }),
  );
}

/** Texts of the page whose contrast with the page is below WCAG's 4.5 to 1; charts' tiles are checked by their colors. */
function unreadable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const luminance = (color: string): number => {
      const [r, g, b] = color
        .match(/[\d.]+/g)!
        .slice(0, 3)
        .map((part) => Number(part) / 255)
        .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a: string, b: string): number => {
      const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
      return (light + 0.05) / (dark + 0.05);
    };
    const ground = getComputedStyle(document.body).backgroundColor;
    const root = getComputedStyle(document.documentElement);
    const computed = (name: string): string => {
      const probe = document.createElement("i");
      probe.style.color = root.getPropertyValue(name);
      document.body.append(probe);
      const { color } = getComputedStyle(probe);
      probe.remove();
      return color;
    };
    const low: string[] = [];
    for (const element of document.querySelectorAll("body *:not(svg *)")) {
      const own = [...element.childNodes].some(
        (node) => node.nodeType === 3 && node.textContent!.trim() !== "",
      );
      if (own && contrast(getComputedStyle(element).color, ground) < 4.5)
        low.push(element.textContent!.slice(0, 40));
    }
    for (let step = 0; step < 9; step++) {
      const ink = computed(step < 4.5 ? "--on-low" : "--on-high");
      if (contrast(ink, computed(`--h${step}`)) < 4.5) low.push(`tile of step ${step}`);
    }
    // Marks are graphics, for which WCAG asks 3 to 1.
    for (const name of ["--s0", "--s1", "--s2", "--s3", "--s4", "--s5"])
      if (contrast(computed(name), ground) < 3) low.push(name);
    return low;
  });
}

/** Variables that charts name and no style gives. */
function unresolvedColors(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const named = new Set(
      [...document.querySelectorAll("svg.chart *")].flatMap((element) =>
        ["fill", "stroke"].flatMap(
          (name) => /^var\((.+)\)$/.exec(element.getAttribute(name) ?? "")?.[1] ?? [],
        ),
      ),
    );
    const root = getComputedStyle(document.documentElement);
    return [...named].filter((name) => root.getPropertyValue(name) === "");
  });
}

/** Texts of charts that come out below a size that can be read: 9 pixels, 8 on the smallest phones. */
function tooSmall(page: Page, width: number): Promise<string[]> {
  return page.evaluate(
    (least) =>
      [...document.querySelectorAll<SVGSVGElement>("svg.chart")].flatMap((chart) => {
        const scale = chart.getBoundingClientRect().width / chart.viewBox.baseVal.width;
        const sizes = [...chart.querySelectorAll("text")].map((text) =>
          Number.parseFloat(getComputedStyle(text).fontSize),
        );
        return scale === 0 || Math.min(...sizes) * scale >= least ? [] : [chart.ariaLabel ?? ""];
      }),
    width < 360 ? 8 : 9,
  );
}
