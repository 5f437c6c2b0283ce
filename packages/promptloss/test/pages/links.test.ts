// Links between pages: the file is there, and so is the heading.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { sourcesUnder } from "../../../../test/imports.ts";
import { pages, pageText, proseOf } from "../../../../test/pages.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/**
 * The anchors of a page's headings. Sites differ in what they make of other signs than letters, digits and hyphens: a
 * heading that has some is not in the list, so that no page links to it.
 */
function anchorsOf(page: string): Set<string> {
  const headings = [...proseOf(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, text]) => text!.trim());
  const plain = headings.filter((text) => /^[\w -]+$/.test(text));
  return new Set(plain.map((text) => text.toLowerCase().replaceAll(" ", "-")));
}

test("every link leads somewhere", () => {
  let count = 0;
  const broken = pages().flatMap((page) =>
    proseOf(page)
      .split("\n")
      .flatMap((text, i) =>
        [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link]) => {
          if (/^[a-z]+:/.test(link!)) return [];
          count++;
          const [path = "", anchor] = link!.split("#");
          const target = path === "" ? page : normalize(join(dirname(page), path));
          const where = `${page}:${i + 1}: ${link}`;
          if (!existsSync(join(root, target))) return [`${where}: there is no ${target}`];
          if (anchor === undefined || !target.endsWith(".md") || anchorsOf(target).has(anchor)) return [];
          return [`${where}: ${target} has no plain heading of that name`];
        }),
      ),
  );
  expect(count).toBeGreaterThan(40);
  expect(broken).toEqual([]);
});

test("every page of docs/ is reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const page of reached)
    for (const [, link] of pageText(page).matchAll(/\]\(([^)\s#]+\.md)[^)]*\)/g)) {
      const target = normalize(join(dirname(page), link!));
      if (existsSync(join(root, target))) reached.add(target);
    }
  expect(pages().filter((page) => page.startsWith("docs/") && !reached.has(page))).toEqual([]);
});

test("pages that sources name are there", () => {
  const sources = [
    "packages/torch/src",
    "packages/promptloss/src",
    "bench/src",
    "demo/src",
    "studio/src",
  ].flatMap((folder) => sourcesUnder(root, folder));
  const broken = sources.flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/\bdocs\/[\w-]+\.md\b/g)].flatMap(([path]) =>
      existsSync(join(root, path)) ? [] : [`${file}: ${path}`],
    ),
  );
  expect(broken).toEqual([]);
});
