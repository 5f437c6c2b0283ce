// Packs what is published, as npm would publish it: promptloss, @promptloss/torch, and the native code of this machine's
// platform. A release builds the last on each platform, and publishes all files that come out.
//   node scripts/pack.mjs OUT [libraries|native]     after `npm run setup`
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { packPrebuilt, prebuiltPackage, WHEEL_PLATFORMS } from "../packages/torch/dist/setup/index.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** What a package has from outside its folder. The repository's README is that of promptloss. */
const SHARED = { "packages/torch": [], "packages/promptloss": ["README.md", "recipes"] };

function readPackage(folder) {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
}

/** Where the sources are, as the release's runner says; a clone may have no public home. */
function home(directory) {
  const { GITHUB_SERVER_URL: server = "https://github.com", GITHUB_REPOSITORY: name } = process.env;
  if (name === undefined) return {};
  return {
    repository: { type: "git", url: `git+${server}/${name}.git`, ...(directory && { directory }) },
    homepage: `${server}/${name}#readme`,
    bugs: `${server}/${name}/issues`,
  };
}

/** Packs a prepared folder and returns the file's path. */
async function pack(folder, out) {
  const script = process.env.npm_execpath;
  const [program, ...first] = script?.endsWith(".js") ? [process.execPath, script] : ["npm"];
  const args = [...first, "pack", "--ignore-scripts", "--json", "--pack-destination", out];
  const options = { cwd: folder, maxBuffer: 2 ** 26, shell: process.platform === "win32" };
  try {
    const { stdout } = await promisify(execFile)(program, args, options);
    return join(out, JSON.parse(stdout)[0].filename);
  } catch ({ message, stdout = "" }) {
    // The message has the command and what it said on standard error.
    throw new Error(`npm pack failed in ${folder}: ${message}\n${stdout}`);
  }
}

function packLibrary(folder, stage, out) {
  const { devDependencies: _, ...manifest } = readPackage(folder);
  // npm takes of these what `files` leaves.
  for (const path of manifest.files)
    if (!path.startsWith("!") && existsSync(join(root, folder, path)))
      cpSync(join(root, folder, path), join(stage, path), { recursive: true });
  for (const name of SHARED[folder]) cpSync(join(root, name), join(stage, name), { recursive: true });
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  manifest.files = [...new Set([...manifest.files, ...SHARED[folder]])];
  if (folder === "packages/torch") {
    // Only published packages name them: a clone builds, and npm would look for them in vain before the first release.
    manifest.optionalDependencies = Object.fromEntries(
      WHEEL_PLATFORMS.map((platform) => [prebuiltPackage(platform), manifest.version]),
    );
  }
  writeFileSync(
    join(stage, "package.json"),
    `${JSON.stringify({ ...manifest, ...home(SHARED[folder].includes("README.md") ? undefined : folder) }, null, 2)}\n`,
  );
  return pack(stage, out);
}

function packNative(stage, out) {
  const { version, license } = readPackage("packages/torch");
  const { name, platform, libtorch, files, withoutGroups } = packPrebuilt(stage);
  if (withoutGroups !== undefined)
    process.stderr.write(`${name} is without process groups: ${withoutGroups}\n`);
  const [os, cpu] = platform.split("-");
  const manifest = {
    name,
    version,
    description: `The native code of @promptloss/torch for ${platform}, built for libtorch ${libtorch}`,
    license,
    os: [os],
    cpu: [cpu],
    ...(os === "linux" && { libc: ["glibc"] }),
    files: [...files, "README.md"],
    ...home(),
  };
  writeFileSync(join(stage, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(
    join(stage, "README.md"),
    `# ${name}\n\n${manifest.description}. It is installed and loaded by @promptloss/torch.\n`,
  );
  cpSync(join(root, "LICENSE"), join(stage, "LICENSE"));
  return pack(stage, out);
}

const [target, part] = process.argv.slice(2);
if (target === undefined || ![undefined, "libraries", "native"].includes(part)) {
  process.stderr.write("usage: node scripts/pack.mjs OUT [libraries|native]\n");
  process.exit(2);
}
const out = resolve(target);
mkdirSync(out, { recursive: true });
const stages = mkdtempSync(join(tmpdir(), "promptloss-pack-"));
try {
  const makers = [
    ...(part === "native"
      ? []
      : Object.keys(SHARED).map((folder) => (stage) => packLibrary(folder, stage, out))),
    ...(part === "libraries" ? [] : [(stage) => packNative(stage, out)]),
  ];
  const packed = makers.map((make, i) => {
    const stage = join(stages, String(i));
    mkdirSync(stage);
    return make(stage);
  });
  for (const file of await Promise.all(packed)) process.stdout.write(`${file}\n`);
} catch (error) {
  const hint = error.hint === undefined ? "" : `hint: ${error.hint}\n`;
  process.stderr.write(`error: ${error.message}\n${hint}`);
  process.exitCode = 1;
} finally {
  rmSync(stages, { recursive: true, force: true });
}
