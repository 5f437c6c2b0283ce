// docs/DEPENDENCIES.md names every package that a package.json of the repository asks for, and no other.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { pageText } from "../../../../test/pages.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** Of the repository's manifests, without its own packages. */
function dependencies(): string[] {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}`);
  const names = ["", "bench", "demo", "site", "studio", ...packages].flatMap((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Record<
      "dependencies" | "devDependencies",
      Record<string, string> | undefined
    >;
    return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
  });
  return [...new Set(names)].filter((name) => !/^(@promptloss\/|promptloss$)/.test(name)).sort();
}

/** The names of the tables' first column; "*" stands for the rest of a name. */
function listed(): RegExp[] {
  const cells = [...pageText("docs/DEPENDENCIES.md").matchAll(/^\| (`.+?) \|/gm)].map(([, cell]) => cell!);
  return cells.flatMap((cell) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => new RegExp(`^${name!.replaceAll("*", ".*")}$`)),
  );
}

test("every dependency has a row, and every row a dependency", () => {
  const [asked, rows] = [dependencies(), listed()];
  expect(asked.length).toBeGreaterThan(30);
  expect(asked.filter((name) => !rows.some((row) => row.test(name)))).toEqual([]);
  expect(rows.filter((row) => !asked.some((name) => row.test(name))).map(String)).toEqual([]);
});
