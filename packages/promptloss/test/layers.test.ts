// The layers of docs/ARCHITECTURE.md: what is checked is what the page lists.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Import, importsOf, sourcesUnder } from "../../../test/imports.ts";
import { doorsOf } from "../../../test/projects.ts";
import { floorOf, floorsOf, packageOf } from "./layers/floors.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const page = "docs/ARCHITECTURE.md";
const floors = floorsOf(readFileSync(join(root, page), "utf8"));
const doors = doorsOf();

const files = ["packages/torch/src", "packages/promptloss/src"].flatMap((folder) =>
  sourcesUnder(root, folder),
);
const imports = files.flatMap((file) => importsOf(root, file, (name) => doors.get(name)));
const atRunTime = new Map<string, Import[]>(files.map((file) => [file, []]));
for (const each of imports) if (each.when === "run time") atRunTime.get(each.from)!.push(each);

/** Loads the native code when it is first called; without it a module is pure. */
const NATIVE = "packages/torch/src/native/addon.ts";

function told({ from, line, to }: Import, rule: string): string {
  return `${from}:${line} imports ${to}: ${rule}`;
}

/** The modules from one to another along imports of run time, the shortest way; undefined where there is none. */
function wayTo(goal: string, start: string): Import[] | undefined {
  const ways = new Map<string, Import[]>([[start, []]]);
  for (const [file, way] of ways)
    for (const each of atRunTime.get(file) ?? []) {
      if (each.to === goal) return [...way, each];
      if (!ways.has(each.to)) ways.set(each.to, [...way, each]);
    }
  return undefined;
}

test("every module stands on a floor, and every floor has modules", () => {
  expect(floors.length).toBeGreaterThan(40);
  const lost = files.filter((file) => floorOf(file, floors) === undefined);
  expect(lost.map((file) => `${file} stands on no floor of ${page}`)).toEqual([]);
  const used = new Set(files.map((file) => floorOf(file, floors)));
  expect(floors.filter((floor) => !used.has(floor)).map(({ place }) => `${place} is empty`)).toEqual([]);
});

test("imports go down", () => {
  const broken = imports.flatMap((each) => {
    const [from, to] = [floorOf(each.from, floors), floorOf(each.to, floors)];
    if (from === undefined || to === undefined || from === to) return [];
    if (packageOf(each.from) !== packageOf(each.to))
      return packageOf(each.to) === "packages/torch" ? [] : [told(each, "the engine knows no product")];
    if (to.line > from.line || (from.atRunTime && each.when === "types")) return [];
    const where = to.line === from.line ? "stands beside" : "stands above";
    return [told(each, `${to.place} ${where} ${from.place}`)];
  });
  expect(broken).toEqual([]);
});

test("pure modules come to nothing native", () => {
  const broken = imports.flatMap((each) => {
    const [from, to] = [floorOf(each.from, floors), floorOf(each.to, floors)];
    if (each.when !== "run time" || from?.isPure !== true || to?.isPure === true) return [];
    const way = wayTo(NATIVE, each.to);
    if (way === undefined && each.to !== NATIVE) return [];
    const rest = [each, ...(way ?? [])].map(({ to }) => to);
    return [told(each, `${from.place} is pure, and this loads the native code: ${rest.join(" → ")}`)];
  });
  expect(broken).toEqual([]);
});

test("no modules import each other in a circle", () => {
  const broken = files.flatMap((file) => {
    const way = wayTo(file, file);
    return way === undefined
      ? []
      : [told(way[0]!, `a circle: ${[file, ...way.map(({ to }) => to)].join(" → ")}`)];
  });
  expect(broken).toEqual([]);
});

/** Packages that help may load: the parser of the command line and colors. */
const HELP_LOADS = /^(node:|commander$|picocolors$)/;

test("what a command's help loads is little: no YAML, no schemas, no engine", () => {
  const commands = imports.filter(({ from, when }) => from.endsWith("cli/commands.ts") && when === "later");
  expect(commands.length).toBeGreaterThan(15);
  for (const { to: command } of commands) {
    const loaded = new Set([command]);
    const packages = new Map<string, string>();
    for (const file of loaded)
      for (const { to, when } of importsOf(root, file, (name) => doors.get(name) ?? name)) {
        if (when !== "run time") continue;
        if (to.endsWith(".ts")) loaded.add(to);
        else packages.set(to, file);
      }
    const heavy = [...packages].filter(([name]) => !HELP_LOADS.test(name));
    expect(heavy.map(([name, file]) => `${command} loads ${name} by ${file}`)).toEqual([]);
    expect(loaded.size, command).toBeLessThan(50);
  }
});
