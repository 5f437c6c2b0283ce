// Asks the user's Python two things: its version, and where its torch lies. Nothing of Python is needed at run time.
import { join } from "node:path";
import { type Machine, variable } from "../machine.ts";
import { PythonTorchNotFoundError } from "./errors.ts";
import { describeLibtorch, type Libtorch } from "./libtorch.ts";
import { runCommand } from "./run-command.ts";

export interface Python {
  readonly command: string;
  /** Such as `3.11`. */
  readonly version: string;
}

/** The interpreters to ask, in order: `PROMPTLOSS_PYTHON` alone where it is set. */
export function pythonCommands(machine: Machine): string[] {
  const own = variable(machine, "PROMPTLOSS_PYTHON");
  return own === undefined ? ["python3", "python"] : [own];
}

/** The first Python 3 that answers, or undefined. */
export async function findPython(machine: Machine): Promise<Python | undefined> {
  for (const command of pythonCommands(machine)) {
    const result = await ask(machine, command, "import sys; print('%d.%d' % sys.version_info[:2])");
    if (result?.startsWith("3.")) return { command, version: result };
  }
  return undefined;
}

/**
 * The libtorch inside the Python package torch.
 *
 * @throws {PythonTorchNotFoundError} when no interpreter has it; {LibtorchInvalidError} when it lacks headers.
 */
export async function libtorchOfPython(machine: Machine): Promise<Libtorch> {
  // find_spec does not import torch, which would take seconds.
  const program =
    "import importlib.util as u; s = u.find_spec('torch'); " +
    "print(s.submodule_search_locations[0] if s and s.origin else '')";
  const asked = pythonCommands(machine);
  for (const command of asked) {
    const root = await ask(machine, command, program);
    if (root === undefined || root === "") continue;
    const place = { root, include: join(root, "include"), lib: join(root, "lib") };
    return describeLibtorch(place, "python", machine.platform);
  }
  throw new PythonTorchNotFoundError(
    `LIBTORCH_USE_PYTORCH is set, but ${asked.join(" and ")} ${asked.length > 1 ? "have" : "has"} no torch`,
    asked,
    { hint: "install torch there, or name an interpreter that has it with PROMPTLOSS_PYTHON" },
  );
}

// The root folder as the working folder: Python looks for modules there first, and a folder named torch would do.
async function ask(machine: Machine, command: string, program: string): Promise<string | undefined> {
  const result = await runCommand(command, ["-c", program], { env: machine.env, cwd: "/" });
  return result.code === 0 ? result.stdout.trim() : undefined;
}
