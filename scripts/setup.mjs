// Sets a clone up: dependencies, TypeScript, libtorch and the native code; does again only what changed.
// It runs before dependencies exist, hence plain JavaScript without any. Finding libtorch and building native
// code is the business of packages/torch/src/setup, which is called once it is compiled.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { acquireLock } from "./lock.mjs";
import { sourceStamp, sourcesIn } from "./source-stamp.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const modules = join(root, "node_modules");
const args = process.argv.slice(2);
/** The folders that `tsc -b` compiles: those of tsconfig.json's references. */
const projects = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")).references.map(
  ({ path }) => path,
);

class Failure extends Error {
  constructor(message, hint) {
    super(message);
    this.hint = hint;
  }
}

function log(line) {
  (args.includes("--json") ? process.stderr : process.stdout).write(`${line}\n`);
}

function checkNode() {
  if (Number.parseInt(process.versions.node, 10) >= 20) return;
  const message = `promptloss needs Node 20 or newer, and this is ${process.versions.node}`;
  throw new Failure(
    message,
    "install a current one from Node's site or with a version manager such as nvm or fnm",
  );
}

/** Whether node_modules holds what package-lock.json names; packages for other platforms need not be there. */
function dependenciesAreInstalled() {
  const installed = join(modules, ".package-lock.json");
  if (!existsSync(installed)) return false;
  const have = JSON.parse(readFileSync(installed, "utf8")).packages;
  const want = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  return Object.entries(want).every(([path, { version, integrity, link, optional }]) => {
    if (!path.startsWith("node_modules/") || optional) return true;
    const one = have[path];
    return one !== undefined && (link || (one.version === version && one.integrity === integrity));
  });
}

function installDependencies() {
  log("installing dependencies with npm ci");
  const script = process.env.npm_execpath;
  const command = script?.endsWith(".js") ? [process.execPath, script] : ["npm"];
  run([...command, "ci", "--no-audit", "--no-fund"], {
    missing: new Failure(
      "there is no npm",
      "npm comes with Node; Debian and Ubuntu have it as the package npm",
    ),
    failed: new Failure(
      "npm ci failed, see above",
      "it needs the network, or a registry that npm is configured for",
    ),
  });
}

/** Compiles when a source or a setting differs from the last time, or when what was compiled is gone. */
function compileTypeScript() {
  const stampFile = join(root, "packages/torch/dist/.sources-stamp");
  const stamp = sourceStamp(root, compilerSources());
  const whole = projects.every((folder) => existsSync(join(root, folder, "dist/.tsbuildinfo")));
  if (whole && existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
  log("compiling TypeScript");
  const failed = new Failure(
    "the TypeScript sources do not compile, see above",
    "npm run check shows all problems",
  );
  run([process.execPath, join(modules, "typescript/bin/tsc"), "-b"], { failed });
  run([process.execPath, join(root, "scripts/build-page.mjs")], {
    failed: new Failure("the studio's page was not built, see above", "npm run build shows it alone"),
  });
  writeFileSync(stampFile, stamp);
}

/** Every file that the compiler reads. */
function compilerSources() {
  return [
    ...["package-lock.json", "tsconfig.json", "tsconfig.base.json"],
    ...projects.flatMap((folder) => [
      ...["package.json", "tsconfig.json"].map((name) => join(folder, name)),
      ...sourcesIn(root, join(folder, "src")).filter((path) => /\.(tsx?|css|json)$/.test(path)),
    ]),
  ];
}

/** Runs a command in the root folder with its output shown, on standard error under --json. */
function run([program, ...rest], { failed, missing = failed }) {
  const output = args.includes("--json") ? 2 : 1;
  const result = spawnSync(program, rest, { cwd: root, stdio: ["ignore", output, 2] });
  if (result.error?.code === "ENOENT") throw missing;
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw failed;
}

async function main() {
  checkNode();
  const release = await acquireLock(join(root, ".setup.lock"), log);
  try {
    if (!dependenciesAreInstalled()) installDependencies();
    compileTypeScript();
    const compiled = pathToFileURL(join(root, "packages/torch/dist/setup/main.js"));
    const setup = await import(compiled.href);
    return await setup.main(["setup", ...args]);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`error: ${error.message}\nhint: ${error.hint}\n`);
    return 1;
  } finally {
    release();
  }
}

process.exitCode = await main();
