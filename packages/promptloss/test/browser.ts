// A real browser for tests: Chromium where the system has one, driven without a network.
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const places = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** Undefined where there is none; CHROMIUM names another. */
export const chromiumPath = places.find((path) => path !== undefined && existsSync(path));

export function launch(): Promise<Browser> {
  // Root, as in containers, has no sandbox.
  return chromium.launch({ executablePath: chromiumPath!, args: ["--no-sandbox"] });
}

export interface Opened {
  readonly page: Page;
  /** Of the console, errors and exceptions. */
  readonly complaints: readonly string[];
  /** What it asked for, other than itself. */
  readonly requests: readonly string[];
}

/** @param place the path of a file, or an address */
export async function open(
  browser: Browser,
  place: string,
  view: { width: number; height?: number; colorScheme: "light" | "dark" },
): Promise<Opened> {
  const { width, height = 900, colorScheme } = view;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => requests.push(request.url()));
  const url = place.includes("://") ? place : `file://${place}`;
  await page.goto(url);
  return {
    page,
    complaints,
    get requests() {
      return requests.filter((address) => address !== url && !address.startsWith("data:"));
    },
  };
}
