// The packages as a user gets them: packed, installed by npm into an empty project, without a compiler and without Python.
// libtorch comes from a mirror on this machine.
import { spawn, spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCurrentBuild } from "@promptloss/torch/setup";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compiled } from "../../../test/compiled.ts";
import { needs } from "../../../test/needs.ts";
import { programsOf } from "../../../test/programs.ts";
import { type Registry, startRegistry } from "./registry.ts";
import { type TrainingFolder, trainingFolder } from "./training-folder.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const LIBTORCH = "2.13.0";

/** Other runtimes to try, such as `PROMPTLOSS_RUNTIMES="/opt/bun,/opt/deno run --allow-all"`. */
const RUNTIMES = (process.env.PROMPTLOSS_RUNTIMES ?? "").split(",").filter((runtime) => runtime !== "");

/** The wheel that pip has without asking anybody, in a folder of its own; undefined where it has none. */
function localWheel(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "promptloss-wheel-"));
  const python = process.env.PROMPTLOSS_PYTHON ?? "python3";
  const args = [
    "-m",
    "pip",
    "download",
    "--no-index",
    "--no-deps",
    "--dest",
    folder,
    `torch==${LIBTORCH}+cpu`,
  ];
  if (spawnSync(python, args).status === 0 && readdirSync(folder)[0]?.includes("-cp311-")) return folder;
  rmSync(folder, { recursive: true });
  return undefined;
}

const libtorch = readCurrentBuild()?.libtorch;
const builtForIt = libtorch?.version === LIBTORCH && !libtorch.cuda;
const wheels =
  process.platform === "linux" && process.arch === "x64" && builtForIt ? localWheel() : undefined;

let folder: string;
let project: string;
let registry: Registry;
let training: TrainingFolder;
let env: NodeJS.ProcessEnv;

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in the project; not synchronously, as this process is the registry. */
function run(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: project,
      env: { ...env, ...more },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

function promptloss(...args: string[]): Promise<Outcome> {
  return run(join(project, "node_modules/.bin/promptloss"), args);
}

/** Packs everything; beside each file goes its manifest, as a registry shows it. */
function pack(): string {
  const packed = join(folder, "packed");
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "scripts/pack.mjs"), packed], {
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  for (const file of stdout.trim().split("\n")) {
    const manifest = spawnSync("tar", ["-xzOf", file, "package/package.json"], { encoding: "utf8" }).stdout;
    writeFileSync(file.replace(/\.tgz$/, ".json"), manifest);
  }
  return packed;
}

const wheelOfPip = needs("wheel", wheels);

wheelOfPip.describe("an empty project", () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "promptloss-install-"));
    project = join(folder, "project");
    training = trainingFolder();
    const bin = join(folder, "bin");
    for (const path of [project, bin]) mkdirSync(path);
    // No compiler, no Python, no shell's tools: node alone.
    symlinkSync(process.execPath, join(bin, "node"));
    const upstream = spawnSync("npm", ["config", "get", "registry"], {
      encoding: "utf8",
      cwd: root,
    }).stdout.trim();
    registry = await startRegistry(pack(), upstream, wheels!);
    const npm = spawnSync("sh", ["-c", "command -v npm"], { encoding: "utf8" }).stdout.trim();
    env = {
      ...Object.fromEntries(
        Object.entries(process.env).filter(([name]) => !/^(LIBTORCH|PROMPTLOSS|CXX)/.test(name)),
      ),
      PATH: bin,
      XDG_CACHE_HOME: join(folder, "cache"),
      PROMPTLOSS_LIBTORCH_URL: `${registry.url}wheels/`,
    };
    writeFileSync(join(project, "package.json"), '{ "private": true, "type": "module" }');
    const { status, stderr } = await run(
      process.execPath,
      [npm, "install", "promptloss", "--no-audit", "--no-fund"],
      {
        npm_config_registry: registry.url,
        // npm looks for a shell to run scripts with: there is none to be run.
        npm_config_ignore_scripts: "false",
      },
    );
    expect([status, stderr]).toEqual([0, ""]);
  }, 600_000);

  afterAll(() => {
    registry?.close();
    training?.remove();
    // So many files take longer to remove than to install: nobody waits for it.
    const gone = [folder, wheels].filter((path) => path !== undefined);
    spawn("rm", ["-rf", ...gone], { detached: true, stdio: "ignore" }).unref();
  });

  test("installs what it needs and nothing of libtorch", () => {
    const installed = readdirSync(join(project, "node_modules/@promptloss")).sort();
    expect(installed).toEqual(["torch", "torch-linux-x64"]);
    expect(registry.wheelRequests).toEqual([]);
    const installedProgram = readFileSync(join(project, "node_modules/promptloss/dist/cli/main.js"), "utf8");
    expect(installedProgram).toBe(readFileSync(compiled("packages/promptloss", "cli/main.js"), "utf8"));
    const files = readdirSync(join(project, "node_modules/promptloss"));
    expect(files).toEqual(expect.arrayContaining(["LICENSE", "README.md", "recipes", "schemas", "tasks"]));
  });

  test("fetches nothing under --offline, and says what to do", async () => {
    const { status, stdout, stderr } = await promptloss("--offline", "doctor");
    expect(status).toBe(1);
    expect(stderr).toMatch(/no libtorch was found\n {2}- PROMPTLOSS_OFFLINE is set: nothing was fetched/);
    expect(stdout).toMatch(/npx promptloss-torch setup/);
    expect(registry.wheelRequests).toEqual([]);
  });

  test("sets itself up at the first command that needs libtorch", async () => {
    const doctor = await promptloss("doctor", "--json");
    expect(doctor.stderr).toMatch(
      /^fetching libtorch 2\.13\.0: 191\.8 MB from http:\S+ unpacked about 480 MB in /,
    );
    expect(doctor.stderr).toMatch(/\nnative code from @promptloss\/torch-linux-x64\n/);
    expect(doctor.status).toBe(0);
    const { ok, facts } = JSON.parse(doctor.stdout);
    expect([ok, facts.native.works, facts.libtorch.origin]).toEqual([true, true, "cache"]);
    expect(facts.processGroups).toEqual({ backends: ["gloo"] });
    expect(registry.wheelRequests).toHaveLength(1);
    expect(readdirSync(join(folder, "cache/promptloss/libtorch"))).toEqual([LIBTORCH]);
  }, 600_000);

  test("runs the network of @promptloss/torch's README", async () => {
    writeFileSync(join(project, "xor.mjs"), programsOf("packages/torch/README.md")[0]!);
    const { status, stdout, stderr } = await run(process.execPath, ["xor.mjs"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/step 500 {2}loss \d\.\d+e-\d+/);
  });

  test("trains", async () => {
    const rows = JSON.parse(readFileSync(join(training.path, "rows.json"), "utf8")) as unknown[];
    writeFileSync(join(training.path, "rows.json"), JSON.stringify(rows.slice(0, 20)));
    const recipe = training.recipe("installed", "training: { steps: 2 }\n");
    const { status, stderr } = await promptloss("train", recipe);
    expect([status, stderr]).toEqual([0, ""]);
    expect(readdirSync(join(training.path, "installed/model"))).toContain("model.safetensors");
  });

  test("trains in two processes, whose groups come built", async () => {
    const recipe = training.recipe("processes", "training: { steps: 2 }\n");
    const { status, stdout, stderr } = await promptloss("train", recipe, "--processes", "2");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/2 processes/);
    expect(readdirSync(join(training.path, "processes/model"))).toContain("model.safetensors");
  });

  test.each(RUNTIMES)("computes and trains the same in %s", async (runtime) => {
    const [program, ...args] = runtime.split(" ");
    const network = await run(program!, [...args, "xor.mjs"]);
    expect([network.status, network.stderr]).toEqual([0, ""]);
    expect(network.stdout).toMatch(/step 500 {2}loss \d\.\d+e-\d+/);
    const name = `other-${RUNTIMES.indexOf(runtime)}`;
    const recipe = training.recipe(name, "training: { steps: 2 }\n");
    const command = join(project, "node_modules/promptloss/bin/promptloss.js");
    const trained = await run(program!, [...args, command, "train", recipe]);
    expect([trained.status, trained.stderr]).toEqual([0, ""]);
    const weights = (run: string): Buffer =>
      readFileSync(join(training.path, run, "model/model.safetensors"));
    expect(weights(name).equals(weights("installed"))).toBe(true);
  });

  test("has types that a strict project takes whole", () => {
    const { exports } = JSON.parse(
      readFileSync(join(project, "node_modules/promptloss/package.json"), "utf8"),
    );
    const torch = JSON.parse(
      readFileSync(join(project, "node_modules/@promptloss/torch/package.json"), "utf8"),
    );
    const doors = [
      ...Object.keys(exports).map((door) => `promptloss${door.slice(1)}`),
      ...Object.keys(torch.exports).map((door) => `@promptloss/torch${door.slice(1)}`),
    ].filter((door) => !door.endsWith(".json"));
    expect(doors.length).toBeGreaterThan(15);
    const imports = doors.map(
      (door, i) => `import * as door${i} from "${door}";\nexport const own${i} = door${i};\n`,
    );
    writeFileSync(join(project, "types.ts"), imports.join(""));
    const compilerOptions = {
      ...{
        target: "es2022",
        lib: ["es2023", "esnext.disposable"],
        module: "nodenext",
        strict: true,
        noEmit: true,
      },
      ...{
        skipLibCheck: false,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        types: ["node"],
      },
      typeRoots: [join(root, "node_modules/@types")],
    };
    writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["types.ts"] }));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, ""]);
  });
});
