// Fetches PyTorch's CPU wheel through the user's own pip and keeps its libtorch in the user's cache. pip's
// configuration decides where it looks; a wheel is a zip, so nothing of Python is needed afterward.
import { existsSync, readdirSync, renameSync, rmSync, statfsSync } from "node:fs";
import { mkdtemp, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../files/atomic.ts";
import { isAlive } from "../files/process.ts";
import { cacheFolder, type Machine } from "../machine.ts";
import { compareVersions, describeLibtorch, type Libtorch } from "./libtorch.ts";
import { libtorchOfCache } from "./places.ts";
import { findPython, type Python } from "./python.ts";
import { runCommand } from "./run-command.ts";

/** The release that set-up fetches. */
export const FETCHED_VERSION = "2.13.0";

/** Bytes that the wheel, its contents and the copy that is kept take together at most. */
const NEEDED_SPACE = 1.5e9;

/** How long pip may look before it has found the wheel, in ms. The download itself has no limit. */
const PATIENCE = 20_000;

/** pip prints one of these once it has found what it was asked for. */
const FOUND = /^\s*(Downloading|Processing|Using cached|Obtaining|Installing)\b/m;

export interface FetchOptions {
  readonly log?: (line: string) => void;
  /** How long pip may look before it has found the wheel, in ms. */
  readonly patience?: number;
}

export type FetchResult =
  | { readonly libtorch: Libtorch }
  /** `reason` is a sentence without its full stop. */
  | { readonly libtorch: undefined; readonly reason: string };

/** What pip is asked for. PyTorch marks its builds without CUDA with `+cpu`, and has no others for macOS. */
export function wheelRequirement(machine: Machine): string {
  return machine.platform === "darwin" ? `torch==${FETCHED_VERSION}` : `torch==${FETCHED_VERSION}+cpu`;
}

/** Fetches the wheel into the cache folder. Never throws for what pip or the network does: that is a `reason`. */
export async function fetchWheel(machine: Machine, options: FetchOptions = {}): Promise<FetchResult> {
  const python = await findPython(machine);
  if (python === undefined) return { libtorch: undefined, reason: "there is no Python 3 to run pip with" };
  const parent = join(cacheFolder(machine), "libtorch");
  try {
    makeFolder(parent);
    removeAbandoned(parent);
    const { bavail, bsize } = statfsSync(parent);
    if (bavail * bsize < NEEDED_SPACE) {
      return { libtorch: undefined, reason: `${parent} has less than ${NEEDED_SPACE / 1e9} GB free` };
    }
    const folder = await mkdtemp(join(parent, `.fetch-${process.pid}-`));
    try {
      const reason = await installInto(folder, python, machine, options);
      if (reason !== undefined) return { libtorch: undefined, reason };
      return { libtorch: keepLibtorch(folder, join(parent, FETCHED_VERSION), machine) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch (error) {
    return { libtorch: undefined, reason: `the wheel could not be unpacked in ${parent}: ${String(error)}` };
  }
}

/** Runs pip; returns why it failed, or undefined. */
async function installInto(
  folder: string,
  python: Python,
  machine: Machine,
  { log = () => {}, patience = PATIENCE }: FetchOptions,
): Promise<string | undefined> {
  const watchdog = new AbortController();
  let output = "";
  let found = false;
  const timer = setTimeout(() => watchdog.abort(), patience);
  const progress = setInterval(async () => {
    if (found)
      log(`fetching libtorch ${FETCHED_VERSION}: ${Math.round((await folderSize(folder)) / 1e6)} MB on disk`);
  }, 5_000);
  log(`asking pip for ${wheelRequirement(machine)}`);
  const result = await runCommand(python.command, pipArguments(join(folder, "site"), python, machine), {
    // What pip downloads stays beside its target, and a setting for other installs does not clash with ours.
    env: { ...machine.env, TMPDIR: folder, PIP_USER: "0", PYTHONUNBUFFERED: "1" },
    cwd: folder,
    signal: watchdog.signal,
    onOutput: (text) => {
      output += text;
      if (found || !FOUND.test(output)) return;
      found = true;
      clearTimeout(timer);
      const size = /\(([\d.]+ [kMG]B)\)/.exec(output)?.[1];
      log(`pip has it: fetching libtorch ${FETCHED_VERSION}${size === undefined ? "" : `, ${size}`}`);
    },
  });
  clearTimeout(timer);
  clearInterval(progress);
  if (watchdog.signal.aborted) return `pip found no ${wheelRequirement(machine)} within ${patience / 1000} s`;
  if (result.code !== 0) return pipFailure(result.stderr, machine);
  return undefined;
}

function pipArguments(target: string, python: Python, machine: Machine): string[] {
  // PyTorch builds for Python 3.10 and later. Only the libraries are wanted, so another Python's wheel serves.
  const tooOld = compareVersions(python.version, "3.10") < 0;
  return [
    ...["-m", "pip", "install", "--no-deps", "--no-compile", "--only-binary=:all:", "--no-input"],
    ...["--disable-pip-version-check", "--progress-bar=off", "--target", target],
    ...(tooOld ? ["--python-version=3.12"] : []),
    wheelRequirement(machine),
  ];
}

function pipFailure(stderr: string, machine: Machine): string {
  if (/No module named '?pip/.test(stderr)) return "this Python has no pip";
  if (/No matching distribution|Could not find a version/.test(stderr)) {
    return `pip's index has no ${wheelRequirement(machine)} for this machine`;
  }
  const lines = stderr.trim().split("\n");
  const line = lines.findLast((text) => text.startsWith("ERROR:")) ?? lines.at(-1) ?? "";
  return `pip failed: ${line.replace(/^ERROR:\s*/, "")}`;
}

/** Moves libraries, headers and licenses to `target`, all at once, and describes them there. */
function keepLibtorch(folder: string, target: string, machine: Machine): Libtorch {
  const site = join(folder, "site");
  const kept = join(folder, "kept");
  makeFolder(join(kept, "torch/share"));
  const info = readdirSync(site).find((name) => /^torch-.*\.dist-info$/.test(name));
  const parts = ["torch/lib", "torch/include", "torch/share/cmake", "torch.libs"];
  for (const part of parts) if (existsSync(join(site, part))) renameSync(join(site, part), join(kept, part));
  if (info !== undefined) renameSync(join(site, info), join(kept, info));
  for (const name of readdirSync(join(kept, "torch/lib"))) {
    if (/^libtorch_python|_test\.|^libbackend_with_compiler|^libaoti_custom_ops/.test(name)) {
      rmSync(join(kept, "torch/lib", name));
    }
  }
  const place = (root: string) => ({ root, include: join(root, "include"), lib: join(root, "lib") });
  describeLibtorch(place(join(kept, "torch")), "cache", machine.platform);
  // Another process may have put a whole copy there meanwhile; one that is not whole gives way.
  if (libtorchOfCache(machine)?.root !== join(target, "torch")) {
    rmSync(target, { recursive: true, force: true });
    renameSync(kept, target);
  }
  return describeLibtorch(place(join(target, "torch")), "cache", machine.platform);
}

/** Removes what fetches that were killed left behind. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^\.fetch-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

async function folderSize(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (entry) => (entry.isFile() ? entry.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
