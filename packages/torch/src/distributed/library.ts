// Loads the library of process groups, once, where set-up could build it for the libtorch in use.
import { addon, currentBuild } from "../native/addon.ts";
import { readDistributedBuild } from "../setup/distributed.ts";
import { DistributedUnavailableError } from "./errors.ts";

let isLoaded = false;

/** What tensors can travel by between processes in the build in use; empty where it has no process groups. */
export function distributedBackends(): readonly string[] {
  const build = readDistributedBuild();
  return build?.library !== undefined && build.lib === currentBuild().libtorch.lib ? build.backends : [];
}

/** @throws {DistributedUnavailableError} saying why there is none */
export function loadDistributed(): void {
  if (isLoaded) return;
  const build = readDistributedBuild();
  if (build === undefined || build.lib !== currentBuild().libtorch.lib)
    throw unavailable("set-up has not built them for this libtorch");
  if (build.library === undefined) throw unavailable(build.reason ?? "this package has no sources of them");
  addon.loadLibrary(build.library);
  isLoaded = true;
}

function unavailable(reason: string): DistributedUnavailableError {
  return new DistributedUnavailableError(`there are no process groups here: ${reason}`, {
    hint: "run `npx promptloss-torch setup`, or train in one process",
  });
}
