// Installs Debian's and Ubuntu's libtorch-dev through apt-get, which root alone may do.
// Its version is the distribution's; whether it serves is for the caller to find out.
import type { Machine } from "./machine.ts";
import { type CommandResult, runCommand } from "./run-command.ts";

const PACKAGE = "libtorch-dev";

/** Installs the package. Returns why that was not possible, a sentence without its full stop, or undefined. */
export async function installDebianPackage(
  machine: Machine,
  log: (line: string) => void = () => {},
): Promise<string | undefined> {
  const env = { ...machine.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const run = (command: string, ...args: string[]): Promise<CommandResult> =>
    runCommand(command, args, { env });
  const hasCandidate = async (): Promise<boolean> =>
    /Candidate: \d/.test((await run("apt-cache", "policy", PACKAGE)).stdout);

  if ((await run("apt-get", "--version")).code !== 0) return "there is no apt-get";
  if (!machine.isRoot) return "apt-get needs root";
  if (!(await hasCandidate())) {
    log("updating apt's lists");
    await run("apt-get", "update");
    if (!(await hasCandidate())) return `apt knows no ${PACKAGE}`;
  }
  log(`installing ${PACKAGE} with apt-get`);
  const install = () => run("apt-get", "install", "--yes", "--no-install-recommends", PACKAGE);
  let result = await install();
  if (result.code !== 0) {
    // Lists that are older than the archive name packages that are no longer there.
    await run("apt-get", "update");
    result = await install();
  }
  if (result.code === 0) return undefined;
  const line = result.stderr.trim().split("\n").at(-1) ?? "";
  return `apt-get could not install ${PACKAGE}: ${line.replace(/^E:\s*/, "")}`;
}
