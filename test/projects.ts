// Which of vitest's projects a test file belongs to, by what it imports: nothing is listed by hand.
//   pure        comes to nothing native: runs without libtorch
//   native      calls libtorch in its process, or starts programs from the sources that do
//   cuda        the native tests of devices once more, on a GPU alone
//   end-to-end  runs the compiled program
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { importsOf } from "./imports.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

export type Project = "pure" | "native" | "cuda" | "end-to-end";

/** Modules by which a test tells what it does: it imports them, itself or through what it imports. */
const COMPILED = "test/compiled.ts";
const NATIVE = ["packages/torch/src/native/addon.ts", "packages/torch/test/support/child.ts"];
const DEVICES = "packages/torch/test/support/devices.ts";

const PACKAGES = { promptloss: "packages/promptloss", "@promptloss/torch": "packages/torch" } as const;

/** Every name that a package of the repository can be imported by, with the source behind it. */
export function doorsOf(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(PACKAGES).flatMap(([name, folder]) => {
      const { exports } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as {
        exports: Record<string, { default?: string }>;
      };
      return Object.entries(exports).flatMap(([door, { default: target }]) => {
        if (target === undefined) return [];
        const source = join(folder, target.replace("./dist", "src").replace(/\.js$/, ".ts"));
        return [[name + door.slice(1), source] as const];
      });
    }),
  );
}

/** The test files of each project, by path from the root. */
export function testFiles(): Record<Project, string[]> {
  const doors = doorsOf();
  const imported = new Map<string, readonly string[]>();
  const importedBy = (file: string): readonly string[] => {
    const known = imported.get(file);
    if (known !== undefined) return known;
    const found = file.endsWith(".ts")
      ? importsOf(root, file, (name) => doors.get(name)).flatMap(({ to, when }) =>
          when === "types" ? [] : [to],
        )
      : [];
    imported.set(file, found);
    return found;
  };
  const files: Record<Project, string[]> = { pure: [], native: [], cuda: [], "end-to-end": [] };
  for (const file of ["packages/torch", "packages/promptloss", "demo", "studio"].flatMap(testsUnder)) {
    const reached = new Set([file]);
    for (const each of reached) for (const next of importedBy(each)) reached.add(next);
    const project = reached.has(COMPILED)
      ? "end-to-end"
      : NATIVE.some((module) => reached.has(module))
        ? "native"
        : "pure";
    files[project].push(file);
    if (reached.has(DEVICES)) files.cuda.push(file);
  }
  return files;
}

function testsUnder(folder: string): string[] {
  return ["src", "test"].flatMap((part) => {
    const place = join(folder, part);
    if (!existsSync(join(root, place))) return [];
    return readdirSync(join(root, place), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".test.ts"))
      .map((name) => join(place, name))
      .sort();
  });
}
