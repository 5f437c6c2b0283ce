// Installs Debian's and Ubuntu's libtorch-dev through apt-get, which root alone may do, and says what that installs.
// Its version is the distribution's; whether it serves is for the caller to find out.
import { isOn, type Machine } from "../machine.ts";
import { type CommandResult, runCommand } from "./run-command.ts";

const LIBTORCH = "libtorch-dev";

/**
 * The BLAS for it. libtorch-dev alone brings the reference BLAS, on which products of float32 run at 0.004 TFLOP/s (2048³,
 * two cores); with this one they run at 0.07 to 0.11.
 */
export const DEBIAN_BLAS = "libopenblas0-pthread";

/** Installs the packages. Returns why that was not possible, a sentence without its full stop, or undefined. */
export async function installDebianPackage(
  machine: Machine,
  log: (line: string) => void = () => {},
): Promise<string | undefined> {
  const env = { ...machine.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const run = (command: string, ...args: string[]): Promise<CommandResult> =>
    runCommand(command, args, { env });
  const hasCandidate = async (name: string): Promise<boolean> =>
    /Candidate: \d/.test((await run("apt-cache", "policy", name)).stdout);

  if (isOn(machine, "PROMPTLOSS_NO_APT")) return "PROMPTLOSS_NO_APT is set: apt-get was not asked";
  if ((await run("apt-get", "--version")).code !== 0) return "there is no apt-get";
  if (!machine.isRoot) return "apt-get needs root";
  if (!(await hasCandidate(LIBTORCH))) {
    log("updating apt's lists");
    await run("apt-get", "update");
    if (!(await hasCandidate(LIBTORCH))) return `apt knows no ${LIBTORCH}`;
  }
  const wanted = [LIBTORCH, ...((await hasCandidate(DEBIAN_BLAS)) ? [DEBIAN_BLAS] : [])];
  const options = ["install", "--yes", "--no-install-recommends", ...wanted];
  log(`apt-get installs ${wanted.join(" and ")} (PROMPTLOSS_NO_APT=1 forbids it)`);
  const packages = installedBy((await run("apt-get", "--simulate", ...options)).stdout);
  if (packages.length > wanted.length) log(`  with what they need: ${packages.join(" ")}`);
  let result = await run("apt-get", ...options);
  if (result.code !== 0) {
    // Lists that are older than the archive name packages that are no longer there.
    await run("apt-get", "update");
    result = await run("apt-get", ...options);
  }
  if (result.code === 0) return undefined;
  const line = result.stderr.trim().split("\n").at(-1) ?? "";
  return `apt-get could not install ${wanted.join(" and ")}: ${line.replace(/^E:\s*/, "")}`;
}

/** The packages that apt-get's simulation says it would install. */
function installedBy(simulation: string): string[] {
  return Array.from(simulation.matchAll(/^Inst (\S+)/gm), ([, name]) => name!);
}
