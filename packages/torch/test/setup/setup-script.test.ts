// Runs scripts/setup.mjs as a user does, in a small clone: this package's set-up, native code of a few lines and a
// libtorch of empty libraries.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { fakeLibtorch, temporaryFolder, write } from "./fake-libtorch.ts";

const repository = fileURLToPath(new URL("../../../..", import.meta.url));

let clone: string;
let libtorch: string;

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

function setUp(args: readonly string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(clone, "scripts/setup.mjs"), ...args], {
      // Any working folder will do.
      cwd: "/",
      env: {
        ...process.env,
        LIBTORCH: libtorch,
        PROMPTLOSS_CACHE: join(clone, "../cache"),
        npm_execpath: join(clone, "../npm.js"),
        ...env,
      },
    });
    const outcome: Outcome = { code: null, stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"] as const) {
      child[stream].setEncoding("utf8").on("data", (text: string) => {
        outcome[stream] += text;
      });
    }
    child.on("close", (code) => resolve({ ...outcome, code }));
  });
}

function currentFile(): string {
  return join(clone, "packages/torch/build/current.json");
}

beforeEach(() => {
  const folder = temporaryFolder();
  clone = join(folder, "clone");
  mkdirSync(clone);
  libtorch = fakeLibtorch(join(folder, "libtorch"), "2.13.0", { linkable: true, platform: process.platform });
  for (const name of [
    ...["package.json", "package-lock.json", "tsconfig.json", "tsconfig.base.json", "scripts"],
    ...["packages/torch/package.json", "packages/torch/tsconfig.json", "packages/torch/src/errors.ts"],
    ...["atomic", "process"].map((name) => `packages/torch/src/files/${name}.ts`),
    "packages/torch/src/machine.ts",
    ...["packages/torch/src/setup", "packages/promptloss/package.json", "packages/promptloss/tsconfig.json"],
    ...["bench/package.json", "bench/tsconfig.json", "demo/package.json", "demo/tsconfig.json"],
    ...["package.json", "tsconfig.json", "vite.config.ts", "index.html"].map((name) => `studio/${name}`),
  ]) {
    cpSync(join(repository, name), join(clone, name), { recursive: true });
  }
  write(join(clone, "packages/promptloss/src/index.ts"), "export const answer: number = 42;\n");
  write(join(clone, "bench/src/main.ts"), "export const answer: number = 42;\n");
  write(join(clone, "demo/src/main.ts"), "export const answer: number = 42;\n");
  write(join(clone, "studio/src/main.tsx"), "export const answer: number = 42;\n");
  write(join(clone, "packages/torch/native/ops/a.cpp"), "int a() { return 1; }\n");
  write(join(clone, "packages/torch/native/binding/b.cpp"), "int b() { return 1; }\n");
  write(join(clone, "packages/torch/native/binding/c.cpp"), "int c() { return 1; }\n");
  // In npm's place: notes its arguments and brings the dependencies that this repository has.
  write(
    join(folder, "npm.js"),
    `const { appendFileSync, symlinkSync } = require("node:fs");
appendFileSync(${JSON.stringify(join(folder, "npm-calls"))}, process.argv.slice(2).join(" ") + "\\n");
symlinkSync(${JSON.stringify(join(repository, "node_modules"))}, "node_modules");\n`,
  );
});

describe("scripts/setup.mjs", () => {
  it("does everything on a fresh clone, and only what changed afterward", async () => {
    const first = await setUp();
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toMatch(
      /^installing dependencies with npm ci\ncompiling TypeScript\nlibtorch 2\.13\.0 from LIBTORCH: .*\ncompiling 3 C\+\+ files/,
    );
    expect(readFileSync(join(clone, "../npm-calls"), "utf8")).toBe("ci --no-audit --no-fund\n");
    const { addon } = JSON.parse(readFileSync(currentFile(), "utf8"));
    expect(existsSync(addon)).toBe(true);

    const again = await setUp();
    expect(again).toEqual({ code: 0, stdout: `libtorch 2.13.0 from LIBTORCH: ${libtorch}\n`, stderr: "" });

    write(join(clone, "packages/torch/native/binding/b.cpp"), "int b() { return 2; }\n");
    const cpp = await setUp();
    expect(cpp.stdout).toMatch(
      /\ncompiling 1 C\+\+ file, 1 at a time\nnative code built in .* s: 1 file compiled, 1 library linked\n/,
    );

    write(join(clone, "packages/promptloss/src/index.ts"), "export const answer: number = 43;\n");
    expect((await setUp()).stdout).toMatch(/^compiling TypeScript\nlibtorch [^\n]*\n$/);
    expect(readFileSync(join(clone, "packages/promptloss/dist/index.js"), "utf8")).toContain("43");
    rmSync(join(clone, "packages/promptloss/dist"), { recursive: true });
    expect((await setUp()).stdout).toMatch(/^compiling TypeScript\n/);
  });

  it("prints JSON alone on standard output when asked", async () => {
    const { code, stdout, stderr } = await setUp(["--json"]);
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      ok: true,
      libtorch: { origin: "environment", version: "2.13.0" },
      remark: null,
    });
    expect(result.compiled).toEqual(["ops/a.cpp", "binding/b.cpp", "binding/c.cpp"]);
    expect(stderr).toMatch(/^installing dependencies/);
    const failed = await setUp(["--json"], { LIBTORCH: "/nowhere" });
    expect(failed.code).toBe(1);
    expect(JSON.parse(failed.stdout)).toMatchObject({ ok: false, error: "LibtorchInvalidError" });
  });

  it("installs again when package-lock.json names other versions", async () => {
    symlinkSync(join(repository, "node_modules"), join(clone, "node_modules"));
    const lock = JSON.parse(readFileSync(join(clone, "package-lock.json"), "utf8"));
    lock.packages["node_modules/vitest"].version = "0.0.1";
    write(join(clone, "package-lock.json"), JSON.stringify(lock));
    expect((await setUp()).stdout).toMatch(/^installing dependencies with npm ci\n/);
    expect(readFileSync(join(clone, "../npm-calls"), "utf8")).not.toBe("");
  });

  it("lets one of two work while the other waits, and takes over the lock of a process that is gone", async () => {
    // Above the largest process id of Linux.
    write(join(clone, ".setup.lock"), "4999999 1");
    const outcomes = await Promise.all([setUp(), setUp()]);
    expect(outcomes.map(({ code }) => code)).toEqual([0, 0]);
    const [waited, worked] = outcomes.sort(
      (a, b) => b.stdout.indexOf("waiting") - a.stdout.indexOf("waiting"),
    );
    expect(waited!.stdout).toMatch(/^waiting for another set-up, process \d+ .*\nlibtorch [^\n]*\n$/);
    expect(worked!.stdout).toMatch(/compiling 3 C\+\+ files/);
    expect(existsSync(join(clone, ".setup.lock"))).toBe(false);
  });

  it("fails with one message and a hint", async () => {
    write(join(clone, "../npm.js"), "process.exit(1);\n");
    expect(await setUp()).toMatchObject({
      code: 1,
      stderr:
        "error: npm ci failed, see above\n" +
        "hint: it needs the network, or a registry that npm is configured for\n",
    });
    expect(await setUp([], { npm_execpath: "", PATH: "/nowhere" })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: there is no npm\nhint: npm comes with Node/),
    });
    symlinkSync(join(repository, "node_modules"), join(clone, "node_modules"));
    write(join(clone, "packages/promptloss/src/index.ts"), 'export const answer: number = "42";\n');
    expect(await setUp()).toMatchObject({ code: 1, stderr: expect.stringMatching(/sources do not compile/) });
    write(join(clone, "packages/promptloss/src/index.ts"), "export const answer: number = 42;\n");
    expect(await setUp([], { CXX: "no-such-compiler" })).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^error: CXX names a compiler that does not answer: no-such-compiler\nhint: /,
      ),
    });
    expect(await setUp(["--fast"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/'--fast'/) });
    expect(existsSync(currentFile())).toBe(false);
  });
});
