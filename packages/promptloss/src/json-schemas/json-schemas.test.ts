// Schemas for editors, the page of keys, and the first lines of YAML files: all as what checks the files has them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { jsonSchema, keysPage, SCHEMA_NAMES } from "./json-schemas.ts";

const root = fileURLToPath(new URL("../../../../", import.meta.url));
function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

test.each(SCHEMA_NAMES)("schemas/%s.json is what checks the files (npm run schemas)", (name) => {
  expect(JSON.parse(read(`packages/promptloss/schemas/${name}.json`))).toEqual(
    JSON.parse(JSON.stringify(jsonSchema(name))),
  );
});

test("docs/keys.md is what checks the files (npm run schemas)", () => {
  expect(read("docs/keys.md")).toBe(keysPage());
});

test("docs/keys.md says of every key what it is", () => {
  const rows = read("docs/keys.md").match(/^\| `.*$/gm)!;
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.filter((row) => row.endsWith("|  |"))).toEqual([]);
});

test("every YAML file of recipes/ and tasks/ names its schema", () => {
  const files = ["recipes", "packages/promptloss/tasks"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => join(root, folder, name))
      // Kubernetes has the schemas of its own manifests.
      .filter((file) => !/^apiVersion: /m.test(readFileSync(file, "utf8"))),
  );
  expect(files.length).toBeGreaterThan(20);
  for (const file of files) {
    const [first = ""] = readFileSync(file, "utf8").split("\n");
    const path = /^# yaml-language-server: \$schema=(\S+)$/.exec(first)?.[1];
    expect([file, path !== undefined && existsSync(resolve(dirname(file), path))]).toEqual([file, true]);
  }
});
