// Which libtorch to use: the documented order, from what the user named to what can be fetched.
//   1 LIBTORCH · 2 Python's torch when LIBTORCH_USE_PYTORCH is set · 3 the user's cache · 4 the system's, if 2.x
//   5 PyTorch's CPU wheel by HTTPS or through pip · 6 the system's 1.13 · 7 Debian's package through apt-get

import { cacheFolder, isOn, type Machine } from "../machine.ts";
import { setupCommand } from "./current-build.ts";
import { LibtorchNotFoundError } from "./errors.ts";
import { installDebianPackage } from "./fetch-debian.ts";
import { recentFailure, recordFailure } from "./fetch-record.ts";
import { type FetchOptions, fetchWheel } from "./fetch-wheel.ts";
import { compareVersions, type Libtorch } from "./libtorch.ts";
import { libtorchOfCache, libtorchOfEnvironment, libtorchOfSystem } from "./places.ts";
import { libtorchOfPython } from "./python.ts";
import { waysToGetLibtorch } from "./ways.ts";
import { FETCHED_VERSION } from "./wheel.ts";

export interface ProvideOptions extends FetchOptions {
  /** Fetch again although it failed a short while ago. */
  readonly retryFetch?: boolean;
  /** Which of those that nobody named may be taken; all when left out. What is fetched always may. */
  readonly accepts?: (libtorch: Libtorch) => boolean;
}

export interface Provided {
  readonly libtorch: Libtorch;
  /** Why an older libtorch than the one that set-up fetches is used; undefined where that is not so. */
  readonly remark: string | undefined;
}

/** The libtorch that is here already, by the order above and without fetching; undefined when there is none. */
export async function findLibtorch(
  machine: Machine,
  accepts?: (libtorch: Libtorch) => boolean,
): Promise<Libtorch | undefined> {
  const named = libtorchOfEnvironment(machine);
  if (named !== undefined) return named;
  if (isOn(machine, "LIBTORCH_USE_PYTORCH")) return libtorchOfPython(machine);
  return libtorchOfCache(machine, accepts) ?? libtorchOfSystem(machine, accepts);
}

/**
 * Finds a libtorch or fetches one.
 *
 * @throws {LibtorchNotFoundError} with a message that lists every way; the errors of what the user named.
 */
export async function provideLibtorch(machine: Machine, options: ProvideOptions = {}): Promise<Provided> {
  const found = await findLibtorch(machine, options.accepts);
  if (found !== undefined && (found.origin !== "system" || compareVersions(found.version, "2.0.0") >= 0)) {
    return { libtorch: found, remark: undefined };
  }
  if (isOn(machine, "PROMPTLOSS_OFFLINE")) {
    if (found !== undefined)
      return { libtorch: found, remark: "PROMPTLOSS_OFFLINE is set: nothing was fetched" };
    return notFound(machine, ["PROMPTLOSS_OFFLINE is set: nothing was fetched"]);
  }
  const known = found === undefined || options.retryFetch ? undefined : recentFailure(machine);
  if (found !== undefined && known !== undefined) {
    return {
      libtorch: found,
      remark: `${known}; asked again after a day, or by \`${setupCommand("--fetch")}\``,
    };
  }
  const fetched = await fetchWheel(machine, options);
  recordFailure(machine, fetched.libtorch === undefined ? fetched.reasons.join(", and ") : undefined);
  if (fetched.libtorch !== undefined) return { libtorch: fetched.libtorch, remark: undefined };
  const remark = `libtorch ${FETCHED_VERSION} would be faster, but ${fetched.reasons.join(", and ")}`;
  if (found !== undefined) return { libtorch: found, remark };

  // Debian's is older than what was asked for.
  if (machine.platform !== "linux" || options.accepts !== undefined)
    return notFound(machine, fetched.reasons);
  const failure = await installDebianPackage(machine, options.log);
  const installed = libtorchOfSystem(machine);
  if (installed !== undefined) return { libtorch: installed, remark };
  return notFound(machine, [
    ...fetched.reasons,
    failure ?? "libtorch-dev was installed, but holds no libtorch",
  ]);
}

function notFound(machine: Machine, tried: readonly string[]): never {
  throw new LibtorchNotFoundError(waysToGetLibtorch(machine, tried, cacheFolder(machine)), tried);
}
