// Finds the C++ compiler: CXX, then c++, g++ and clang++. It only asks for the version; nothing is compiled.

import { type Machine, variable } from "../machine.ts";
import { CompilerNotFoundError } from "./errors.ts";
import { runCommand } from "./run-command.ts";

export interface Compiler {
  /** The command and arguments that come before all others, such as `["ccache", "g++"]`. */
  readonly command: readonly [string, ...string[]];
  readonly family: "gcc" | "clang";
  /** The first line that `--version` prints. */
  readonly version: string;
}

/** @throws {CompilerNotFoundError} that says what to install on this platform. */
export async function findCompiler(machine: Machine): Promise<Compiler> {
  const own = variable(machine, "CXX");
  const commands = own === undefined ? ["c++", "g++", "clang++"] : [own];
  for (const words of commands) {
    const [program, ...args] = words.split(/\s+/) as [string, ...string[]];
    const result = await runCommand(program, [...args, "--version"], { env: machine.env });
    if (result.code !== 0) continue;
    const family = /clang/i.test(result.stdout) ? "clang" : "gcc";
    return { command: [program, ...args], family, version: result.stdout.split("\n")[0] ?? "" };
  }
  const message =
    own === undefined
      ? `there is no C++ compiler: ${commands.join(", ")} do not answer`
      : `CXX names a compiler that does not answer: ${own}`;
  throw new CompilerNotFoundError(message, commands, { hint: installHint(machine.platform) });
}

function installHint(platform: NodeJS.Platform): string {
  if (platform === "darwin") return "install Apple's command line tools: xcode-select --install";
  if (platform === "win32") return "Windows is not supported by itself: run this inside WSL 2";
  return (
    "install one: sudo apt-get install g++ (Debian, Ubuntu), sudo dnf install gcc-c++ (Fedora), " +
    "apk add g++ (Alpine), sudo pacman -S gcc (Arch)"
  );
}
