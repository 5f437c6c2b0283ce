// Compiles a unit's sources to objects and links them, doing again only what changed. Every file is written under
// another name and renamed, so that a build that is killed leaves nothing half-written behind.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { draftOf, isDraft, makeFolder, putInPlace, removeDrafts } from "../files/atomic.ts";
import type { Machine } from "../machine.ts";
import type { Compiler } from "./compiler.ts";
import { setupCommand } from "./current-build.ts";
import { BuildError } from "./errors.ts";
import { isUpToDate, parseDependencies, recordInputs } from "./inputs.ts";
import { progressOf } from "./progress.ts";
import { runCommand } from "./run-command.ts";
import { sourcesOf, type Unit } from "./units.ts";

export interface BuildContext {
  readonly machine: Machine;
  readonly compiler: Compiler;
  /** The folder of this libtorch's build. */
  readonly folder: string;
  /** What the objects depend on beside their sources and headers, such as the libtorch's own files. */
  readonly identity: string;
  readonly log: (line: string) => void;
  /** Where a bar can be drawn while files compile; lines through `log` where left out. */
  readonly terminal?: NodeJS.WriteStream | undefined;
}

interface Compilation {
  readonly source: string;
  readonly object: string;
  readonly command: readonly string[];
}

export interface UnitResult {
  /** The library's absolute path; undefined for a unit without sources. */
  readonly library: string | undefined;
  /** Sources that were compiled this time, relative to the unit's folder. */
  readonly compiled: readonly string[];
  readonly linked: boolean;
}

/**
 * Builds the units, compiling up to `machine.jobs` files at once over all of them.
 *
 * @throws {BuildError} with the compiler's output. The objects that compiled before it are kept.
 */
export async function buildUnits(units: readonly Unit[], context: BuildContext): Promise<UnitResult[]> {
  const plans = units.map((unit) => planCompilations(unit, context));
  const outdated = plans.flatMap((plan) =>
    plan.filter((one) => !isUpToDate(one.object, keyOf(one, context))),
  );
  await runJobs(outdated, context);
  const results: UnitResult[] = [];
  for (const [i, unit] of units.entries()) {
    const plan = plans[i]!;
    if (plan.length === 0) {
      context.log(`${unit.name}: no .cpp file in ${unit.sourceDir}, nothing to build`);
      results.push({ library: undefined, compiled: [], linked: false });
      continue;
    }
    const compiled = plan.filter((one) => outdated.includes(one)).map((one) => one.source);
    const { library, linked } = await link(unit, plan, context);
    if (linked || compiled.length > 0) removeStrays(join(context.folder, unit.name), plan);
    results.push({ library, compiled, linked });
  }
  return results;
}

function planCompilations(unit: Unit, { folder, compiler }: BuildContext): Compilation[] {
  const objects = join(folder, unit.name);
  return sourcesOf(unit).map((source) => {
    const object = join(objects, `${source.replaceAll(/[\\/]/g, "__")}.o`);
    const command = [
      ...compiler.command,
      ...unit.compile(source),
      "-MMD",
      "-c",
      join(unit.sourceDir, source),
    ];
    return { source, object, command };
  });
}

function keyOf(one: Compilation, { identity }: BuildContext): string[] {
  return [identity, ...one.command];
}

async function runJobs(queue: readonly Compilation[], context: BuildContext): Promise<void> {
  if (queue.length === 0) return;
  // The longest first, so that none of them begins when all others are done.
  const rest = queue.toSorted((a, b) => weightOf(b) - weightOf(a));
  const jobs = Math.min(context.machine.jobs, rest.length);
  const progress = progressOf(
    rest.map((one) => weightOf(one)),
    jobs,
    context,
  );
  let failed: BuildError | undefined;
  const worker = async (): Promise<void> => {
    for (let one = rest.shift(); one !== undefined && failed === undefined; one = rest.shift()) {
      try {
        await compile(one, context);
        progress.done(weightOf(one));
      } catch (error) {
        if (!(error instanceof BuildError)) throw error;
        failed ??= error;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, worker));
  } finally {
    progress.end();
  }
  if (failed !== undefined) throw failed;
}

/** About the seconds that a file takes: libtorch's headers, or none of them. */
function weightOf({ command }: Compilation): number {
  return command.includes("-isystem") ? 45 : 5;
}

async function compile(one: Compilation, context: BuildContext): Promise<void> {
  const { object, command, source } = one;
  makeFolder(join(object, ".."));
  const temporary = draftOf(object);
  const dependencies = draftOf(`${object}.d`);
  const started = Date.now();
  const full = [...command, "-o", temporary, "-MF", dependencies];
  try {
    const result = await runCommand(full[0]!, full.slice(1), { env: context.machine.env });
    const output = result.stderr + result.stdout;
    if (result.code !== 0) throw new BuildError(source, full, output, { hint: hintFor(output) });
    if (output.trim() !== "") context.log(output.trimEnd());
    const inputs = parseDependencies(readFileSync(dependencies, "utf8"));
    putInPlace(temporary, object);
    recordInputs(object, keyOf(one, context), inputs, started);
  } finally {
    rmSync(temporary, { force: true });
    rmSync(dependencies, { force: true });
  }
}

async function link(
  unit: Unit,
  plan: readonly Compilation[],
  { compiler, folder, machine, identity }: BuildContext,
): Promise<{ library: string; linked: boolean }> {
  const library = join(folder, unit.output);
  const objects = plan.map((one) => one.object);
  const command = [...compiler.command, ...objects, ...unit.link];
  const key = [identity, ...command];
  if (isUpToDate(library, key)) return { library, linked: false };
  removeDrafts(dirname(library), COMPILING);
  const temporary = draftOf(library);
  const started = Date.now();
  const result = await runCommand(command[0]!, [...command.slice(1), "-o", temporary], { env: machine.env });
  if (result.code !== 0) {
    rmSync(temporary, { force: true });
    const output = result.stderr + result.stdout;
    throw new BuildError(unit.output, [...command, "-o", temporary], output, { hint: hintFor(output) });
  }
  putInPlace(temporary, library);
  recordInputs(library, key, objects, started);
  return { library, linked: true };
}

/** Seconds within which a draft is some compiler's that still runs. */
const COMPILING = 3600;

/** Removes the objects of sources that are gone, and what killed builds left. */
function removeStrays(folder: string, plan: readonly Compilation[]): void {
  const kept = new Set(plan.flatMap(({ object }) => [object, `${object}.stamp.json`]));
  removeDrafts(folder, COMPILING);
  for (const name of readdirSync(folder))
    if (!isDraft(name) && !kept.has(join(folder, name))) rmSync(join(folder, name), { force: true });
}

function hintFor(output: string): string {
  if (/No space left on device/.test(output)) return "the disk is full";
  if (/Killed|cc1plus.*(signal|killed)|out of memory|cannot allocate/i.test(output)) {
    return "the compiler ran out of memory: close other programs and run set-up again, it resumes where it stopped";
  }
  if (/unrecognized.*-std=c\+\+20|invalid value 'c\+\+20'/.test(output)) {
    return "this libtorch needs C++20: install GCC 11 or Clang 14, or newer, and name it with CXX";
  }
  if (/undefined reference|Undefined symbols|cannot find -l/.test(output)) {
    return `the libtorch lacks a symbol or a library: another LIBTORCH may serve (\`${setupCommand("--json")}\` shows which is used)`;
  }
  return "if the sources are as they were released, this compiler and this libtorch do not fit: try another CXX or LIBTORCH";
}
