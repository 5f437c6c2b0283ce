// Fetches PyTorch's CPU wheel through the user's own pip, whose configuration decides where it looks.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Machine } from "../machine.ts";
import { compareVersions } from "./libtorch.ts";
import { findPython, type Python } from "./python.ts";
import { runCommand } from "./run-command.ts";
import { FETCHED_VERSION, wheelRequirement } from "./wheel.ts";

/** How long pip may look before it has found the wheel, in ms. The download itself has no limit. */
const PATIENCE = 20_000;

/** pip prints one of these once it has found what it was asked for. */
const FOUND = /^\s*(Downloading|Processing|Using cached|Obtaining|Installing)\b/m;

export interface PipOptions {
  readonly log?: (line: string) => void;
  /** How long pip may look before it has found the wheel, in ms. */
  readonly patience?: number;
}

/** Installs the wheel into `site`, a folder inside `folder`. Returns why that failed, or undefined. */
export async function installWithPip(
  folder: string,
  site: string,
  machine: Machine,
  options: PipOptions,
): Promise<string | undefined> {
  const python = await findPython(machine);
  if (python === undefined) return "there is no Python 3 to run pip with";
  return runPip(folder, site, python, machine, options);
}

/** Runs pip; returns why it failed, or undefined. */
async function runPip(
  folder: string,
  site: string,
  python: Python,
  machine: Machine,
  { log = () => {}, patience = PATIENCE }: PipOptions,
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
  const result = await runCommand(python.command, pipArguments(site, python, machine), {
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
