// The repository's pages in Markdown, and the blocks of code in them.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));

/** Every page, by its path from the repository's root. */
export function pages(): string[] {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
  return ["", "docs", ...packages].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name)),
  );
}

export function pageText(page: string): string {
  return readFileSync(join(root, page), "utf8");
}

export interface Block {
  readonly page: string;
  /** Of its first line of code, from 1. */
  readonly line: number;
  /** "" where the page names none. */
  readonly language: string;
  /** The name of the file that the block shows, where it says so. */
  readonly file: string | undefined;
  readonly code: string;
}

/** A page's fenced blocks of code, in order. */
export function blocksOf(page: string): Block[] {
  const text = pageText(page);
  return [...text.matchAll(/^```(?<language>\S*) ?(?<file>[\w.-]*).*\n(?<code>(?:(?!```).*\n)*)```$/gm)].map(
    ({ index, groups }) => ({
      ...{ page, line: text.slice(0, index).split("\n").length + 1 },
      ...{ language: groups!.language!, file: groups!.file || undefined, code: groups!.code! },
    }),
  );
}

/** A page without its blocks of code: as many lines, those of blocks empty. */
export function proseOf(page: string): string {
  return pageText(page).replaceAll(/^```\S*.*\n(?:(?!```).*\n)*```$/gm, (block) =>
    "\n".repeat(block.split("\n").length - 1),
  );
}
