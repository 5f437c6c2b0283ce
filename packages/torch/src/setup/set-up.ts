// Set-up as one call: a compiler, a libtorch, the native code built. What is there already is left as it is.

import { type Machine, thisMachine } from "../machine.ts";
import { type BuildOptions, type BuildResult, buildNative } from "./build.ts";
import { findCompiler } from "./compiler.ts";
import { SetupError } from "./errors.ts";
import { type Libtorch, libtorchLine } from "./libtorch.ts";
import { type ProvideOptions, provideLibtorch } from "./provide.ts";

export interface SetUpOptions extends ProvideOptions, Omit<BuildOptions, "compiler"> {
  readonly machine?: Machine;
}

export interface SetUpResult extends BuildResult {
  readonly libtorch: Libtorch;
  /** Why an older libtorch is used than set-up would have fetched. */
  readonly remark: string | undefined;
}

/**
 * Finds or fetches libtorch, builds the native code against it and makes that build the one in use.
 *
 * @throws SetupError and its families.
 */
export async function setUp(options: SetUpOptions = {}): Promise<SetUpResult> {
  const { machine = thisMachine(), log = () => {} } = options;
  if (machine.platform === "win32") {
    throw new SetupError("Windows is not supported by itself", { hint: "run this inside WSL 2" });
  }
  // First, since fetching a libtorch that nothing can be compiled against would be in vain.
  const compiler = await findCompiler(machine);
  const { libtorch, remark } = await provideLibtorch(machine, { ...options, log });
  log(libtorchLine(libtorch));
  if (remark !== undefined) log(`  ${remark}`);
  const started = performance.now();
  const result = await buildNative(libtorch, machine, { ...options, compiler, log });
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
