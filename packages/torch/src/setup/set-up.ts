// Set-up as one call: a libtorch, and the native code for it, prebuilt or built here. What is there already is left as it
// is.
import { join } from "node:path";
import { type Machine, thisMachine } from "../machine.ts";
import { type BuildOptions, type BuildResult, buildNative } from "./build.ts";
import { DISTRIBUTED_FOLDER } from "./build-record.ts";
import { type Compiler, findCompiler } from "./compiler.ts";
import { buildDistributed } from "./distributed.ts";
import { CompilerNotFoundError, SetupError } from "./errors.ts";
import { type Libtorch, libtorchLine } from "./libtorch.ts";
import { findPrebuilt, prebuiltPackage, serves, takePrebuilt } from "./prebuilt.ts";
import { type ProvideOptions, provideLibtorch } from "./provide.ts";
import { platformOf } from "./wheel.ts";

export interface SetUpOptions extends ProvideOptions, Omit<BuildOptions, "compiler"> {
  readonly machine?: Machine;
}

export interface SetUpResult extends BuildResult {
  readonly libtorch: Libtorch;
  /** Why an older libtorch is used than set-up would have fetched. */
  readonly remark: string | undefined;
}

/**
 * Finds or fetches libtorch and makes native code for it the build in use: prebuilt code that fits, or else one that is
 * built here.
 *
 * @throws {SetupError} and its families.
 */
export async function setUp(options: SetUpOptions = {}): Promise<SetUpResult> {
  const { machine = thisMachine(), log = () => {} } = options;
  if (machine.platform === "win32") {
    throw new SetupError("Windows is not supported by itself", { hint: "run this inside WSL 2" });
  }
  const prebuilt = findPrebuilt(machine);
  // First, since fetching a libtorch that nothing can be compiled against would be in vain.
  const compiler = prebuilt === undefined ? await findCompiler(machine) : await compilerOrNone(machine);
  const provided = await provideLibtorch(machine, {
    ...options,
    log,
    // Without a compiler, what lies around serves only where the prebuilt code fits it.
    ...(compiler === undefined &&
      prebuilt !== undefined && { accepts: (one) => serves(prebuilt, one, machine, options) }),
  });
  const { libtorch, remark } = provided;
  log(libtorchLine(libtorch));
  if (remark !== undefined) log(`  ${remark}`);
  const groups = prebuilt && join(prebuilt.folder, DISTRIBUTED_FOLDER);
  const taken = prebuilt && takePrebuilt(prebuilt, libtorch, machine, options);
  if (taken !== undefined) {
    log(`native code from ${prebuiltPackage(platformOf(machine))}`);
    await buildDistributed(libtorch, machine, { ...options, compiler, prebuilt: groups, log });
    return { ...taken, libtorch, remark };
  }
  const started = performance.now();
  const result = await buildNative(libtorch, machine, {
    ...options,
    compiler: compiler ?? (await findCompiler(machine)),
    log,
  });
  await buildDistributed(libtorch, machine, { ...options, compiler, prebuilt: groups, log });
  const { compiled, linked } = result;
  if (compiled.length + linked.length > 0) {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    log(
      `native code built in ${seconds} s: ${counted(compiled.length, "file", "files")} compiled, ${counted(linked.length, "library", "libraries")} linked`,
    );
  }
  return { ...result, libtorch, remark };
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

async function compilerOrNone(machine: Machine): Promise<Compiler | undefined> {
  try {
    return await findCompiler(machine);
  } catch (error) {
    if (error instanceof CompilerNotFoundError) return undefined;
    throw error;
  }
}
