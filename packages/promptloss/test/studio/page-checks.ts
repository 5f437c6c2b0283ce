/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
// What every view of the studio must keep: nothing sticks out, all can be read, all controls have names.
import type { Page } from "playwright-core";
import { expect } from "vitest";
import type { Opened } from "../browser.ts";

/** How wide and in which colors each view is looked at. */
export const VIEWS = [
  { width: 1280, colorScheme: "light" },
  { width: 1280, colorScheme: "dark" },
  { width: 375, colorScheme: "light" },
  { width: 375, colorScheme: "dark" },
] as const;

/** Texts whose contrast with what is behind them is below WCAG's 4.5 to 1. */
function unreadable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const parts = (color: string): number[] => color.match(/[\d.]+/g)!.map(Number);
    const luminance = (color: string): number => {
      const [r, g, b] = parts(color)
        .slice(0, 3)
        .map((part) => part / 255)
        .map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)) as [number, number, number];
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const groundOf = (element: Element): string => {
      for (let at: Element | null = element; at !== null; at = at.parentElement) {
        const { backgroundColor } = getComputedStyle(at);
        if ((parts(backgroundColor)[3] ?? 1) > 0.99) return backgroundColor;
      }
      return "rgb(255, 255, 255)";
    };
    return [...document.querySelectorAll("body *")].flatMap((element) => {
      const isShown = element.checkVisibility();
      const own = [...element.childNodes].some(
        (node) => node.nodeType === 3 && node.textContent!.trim() !== "",
      );
      if (!own || !isShown || element.matches(":disabled")) return [];
      const [dark, light] = [luminance(getComputedStyle(element).color), luminance(groundOf(element))].sort(
        (a, b) => a - b,
      ) as [number, number];
      return (light + 0.05) / (dark + 0.05) < 4.5 ? [element.textContent!.slice(0, 40)] : [];
    });
  });
}

/** Controls and pictures without a name for screen readers. */
function nameless(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [
      ...document.querySelectorAll("button, input, select, textarea, progress, [role=img], a, iframe"),
    ].flatMap((element) => {
      const labels = (element as HTMLInputElement).labels;
      const name = [
        element.getAttribute("aria-label"),
        element.getAttribute("title"),
        ...Array.from(labels ?? [], (label) => label.textContent),
        element.textContent,
      ].find((text) => (text ?? "").trim() !== "");
      return name === undefined ? [element.outerHTML.slice(0, 80)] : [];
    }),
  );
}

/** The page that is open, as it stands. */
export async function checkPage({ page, complaints, requests }: Opened, origin: string): Promise<void> {
  const width = page.viewportSize()!.width;
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  expect(await unreadable(page)).toEqual([]);
  expect(await nameless(page)).toEqual([]);
  expect(await page.locator("h1").count()).toBe(1);
  expect(complaints).toEqual([]);
  expect(requests.filter((address) => !address.startsWith(origin))).toEqual([]);
}
