// The places where a libtorch can already lie: what LIBTORCH names, the user's cache, the system's prefixes.
// Nothing is fetched here.
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { cacheFolder, type Machine, variable } from "../machine.ts";
import { LibtorchInvalidError } from "./errors.ts";
import { compareVersions, describeLibtorch, type Libtorch, sharedLibraryExtension } from "./libtorch.ts";

/**
 * The libtorch that `LIBTORCH` names, or `LIBTORCH_INCLUDE` and `LIBTORCH_LIB`; undefined where none is set.
 * The latter two take the folder itself or the one that contains it.
 *
 * @throws {LibtorchInvalidError} when what they name is no libtorch: the user asked for it, so nothing else is tried.
 */
export function libtorchOfEnvironment(machine: Machine): Libtorch | undefined {
  const root = variable(machine, "LIBTORCH");
  const include = variable(machine, "LIBTORCH_INCLUDE") ?? root;
  const lib = variable(machine, "LIBTORCH_LIB") ?? root;
  if (include === undefined && lib === undefined) return undefined;
  if (include === undefined || lib === undefined) {
    const [set, unset] = include === undefined ? ["LIB", "INCLUDE"] : ["INCLUDE", "LIB"];
    throw new LibtorchInvalidError(
      `LIBTORCH_${set} is set, but neither LIBTORCH_${unset} nor LIBTORCH`,
      (include ?? lib)!,
      [],
      { hint: `set LIBTORCH_${unset} too, or LIBTORCH alone to a folder that has include/ and lib/` },
    );
  }
  const place = {
    include: folderNamed("include", include),
    lib: libraryFolder(machine, lib) ?? join(lib, "lib"),
  };
  const from = resolve(root ?? dirname(place.include));
  return describeLibtorch({ root: from, ...place }, "environment", machine.platform);
}

/** The newest libtorch in the user's cache, or undefined. A folder there that is not whole does not count. */
export function libtorchOfCache(machine: Machine, accepts = acceptAll): Libtorch | undefined {
  const folder = join(cacheFolder(machine), "libtorch");
  if (!existsSync(folder)) return undefined;
  const found = readdirSync(folder)
    .filter((name) => /^\d/.test(name))
    .flatMap((name) => [join(folder, name, "torch"), join(folder, name, "libtorch"), join(folder, name)])
    .map((root) => tryDescribe(machine, root, join(root, "lib"), "cache"))
    .filter((libtorch) => libtorch !== undefined)
    .filter(accepts);
  return found.sort((a, b) => compareVersions(b.version, a.version))[0];
}

/** The newest libtorch among the system's prefixes, or undefined. */
export function libtorchOfSystem(machine: Machine, accepts = acceptAll): Libtorch | undefined {
  const found = machine.systemRoots
    .map((root) => {
      const lib = libraryFolder(machine, root);
      return lib === undefined ? undefined : tryDescribe(machine, root, lib, "system");
    })
    .filter((libtorch) => libtorch !== undefined)
    .filter(accepts);
  return found.sort((a, b) => compareVersions(b.version, a.version))[0];
}

function acceptAll(_: Libtorch): boolean {
  return true;
}

function tryDescribe(
  machine: Machine,
  root: string,
  lib: string,
  origin: "cache" | "system",
): Libtorch | undefined {
  if (!existsSync(lib)) return undefined;
  try {
    return describeLibtorch({ root, include: join(root, "include"), lib }, origin, machine.platform);
  } catch (error) {
    if (error instanceof LibtorchInvalidError) return undefined;
    throw error;
  }
}

// Debian keeps libraries in lib/<processor>-linux-gnu, Fedora in lib64.
function libraryFolder(machine: Machine, root: string): string | undefined {
  const processor = { x64: "x86_64", arm64: "aarch64" }[machine.arch] ?? machine.arch;
  const file = `libtorch${sharedLibraryExtension(machine.platform)}`;
  return ["lib", `lib/${processor}-linux-gnu`, "lib64", "."]
    .map((name) => resolve(root, name))
    .find((folder) => existsSync(join(folder, file)));
}

function folderNamed(name: string, path: string): string {
  const inside = join(path, name);
  return basename(resolve(path)) === name && !existsSync(inside) ? resolve(path) : resolve(inside);
}
