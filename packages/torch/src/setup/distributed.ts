// Takes or builds the library of process groups, native/distributed, which not every libtorch can have: what it lacks, or
// what does not compile, leaves the library out and fails nothing. Its record lies beside that of the build in use.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { makeFolder, replaceFile } from "../files/atomic.ts";
import { type Machine, variable } from "../machine.ts";
import { identityOf } from "./build.ts";
import { buildKey, holdsCachedBuild, keepBuild, takeCachedBuild } from "./build-cache.ts";
import {
  DISTRIBUTED_FOLDER,
  factsFor,
  fits,
  linkLibtorch,
  placeBuild,
  readWholeBuild,
} from "./build-record.ts";
import { buildUnits } from "./build-unit.ts";
import type { Compiler } from "./compiler.ts";
import { buildFolder, packageFolder } from "./current-build.ts";
import { BuildError } from "./errors.ts";
import type { Libtorch } from "./libtorch.ts";
import { openmpArguments } from "./openmp.ts";
import { distributedLibrary, distributedUnit } from "./units.ts";

/** What set-up made of process groups for one libtorch. */
export interface DistributedBuild {
  /** The folder of the libtorch's libraries. */
  readonly lib: string;
  /** Absolute path of the library; undefined where there is none. */
  readonly library?: string;
  /** What tensors can travel by: `gloo` between processors, `nccl` between GPUs. */
  readonly backends: readonly string[];
  /** Why there is no library. */
  readonly reason?: string;
  /** What the reason was found with: sources, compiler and libtorch, as one hash. Nothing else is tried again. */
  readonly tried?: string;
}

export interface DistributedOptions {
  /** Undefined where there is none. */
  readonly compiler: Compiler | undefined;
  /** A folder with the library prebuilt, and its record; it is taken where it fits. */
  readonly prebuilt?: string | undefined;
  readonly nativeDir?: string;
  readonly outputDir?: string;
  readonly log?: (line: string) => void;
  readonly terminal?: NodeJS.WriteStream | undefined;
}

const RECORD = "distributed.json";

/** Makes the library for `libtorch` where that is possible, and records what came of it. Never throws a BuildError. */
export async function buildDistributed(
  libtorch: Libtorch,
  machine: Machine,
  options: DistributedOptions,
): Promise<DistributedBuild> {
  const { compiler, nativeDir = join(packageFolder, "native"), outputDir = buildFolder } = options;
  const { log = () => {}, terminal } = options;
  const { libDir: lib } = libtorch;
  const left = (reason: string): DistributedBuild => {
    log(`process groups are left out, all else works: ${reason}`);
    return { lib, backends: [], reason };
  };
  const record = (build: DistributedBuild): DistributedBuild => {
    makeFolder(outputDir);
    replaceFile(join(outputDir, RECORD), `${JSON.stringify(build, null, 2)}\n`);
    return build;
  };
  const sources = join(nativeDir, DISTRIBUTED_FOLDER);
  if (!existsSync(sources)) return { lib, backends: [] };
  const facts = factsFor(libtorch, machine, sources);
  const folder = join(outputDir, DISTRIBUTED_FOLDER, libtorch.version);
  const output = join(folder, distributedLibrary(machine.platform));
  const use = (backends: readonly string[]): DistributedBuild => {
    linkLibtorch(folder, lib);
    return record({ lib, library: output, backends });
  };
  const prebuilt = options.prebuilt === undefined ? undefined : readWholeBuild(options.prebuilt);
  if (prebuilt !== undefined && fits(prebuilt, facts)) {
    makeFolder(join(folder, ".."));
    placeBuild(options.prebuilt!, folder, prebuilt);
    return use(["gloo"]);
  }
  if (!hasGroups(libtorch))
    return record(left(`libtorch ${libtorch.version} at ${libtorch.root} has no c10d with Gloo`));
  if (compiler === undefined) return record(left("there is no C++ compiler to build them"));
  const openmp = await openmpArguments(compiler, machine, join(outputDir, "probes"));
  const identity = identityOf(libtorch, machine);
  const nccl = libtorch.cuda ? ncclHeaders(libtorch, machine) : { missing: [] };
  const made = (headers: readonly string[] | undefined) => {
    const unit = distributedUnit(libtorch, machine, { nativeDir, openmp, nccl: headers });
    return { unit, key: buildKey([unit], nativeDir, facts, [compiler, libtorch.root, identity]) };
  };
  const tried = made(nccl.folders).key;
  const before = readDistributedBuild(outputDir);
  if (before?.reason !== undefined && before.tried === tried) {
    log(`process groups are left out, as before: ${before.reason.split("\n")[0]}`);
    return before;
  }
  const build = async (headers: readonly string[] | undefined): Promise<void> => {
    const { unit, key } = made(headers);
    makeFolder(join(folder, ".."));
    if (holdsCachedBuild(folder, key) || takeCachedBuild(machine, key, folder)) return;
    await buildUnits([unit], { machine, compiler, folder, identity, log, terminal });
    keepBuild(machine, { ...facts, key }, [output]);
  };
  try {
    if (nccl.folders !== undefined) {
      try {
        await build(nccl.folders);
        return use(["gloo", "nccl"]);
      } catch (error) {
        if (!(error instanceof BuildError)) throw error;
        log(`process groups do without NCCL, whose headers do not compile: ${firstErrors(error.output)}`);
      }
    } else if (libtorch.cuda)
      log(
        `process groups do without NCCL: ${nccl.missing.join(", ")} not found; CUDA_HOME names a toolkit, and beside PyTorch from pip serve nvidia-nccl-cu13, nvidia-cuda-runtime, nvidia-cuda-crt and nvidia-cuda-cccl`,
      );
    await build(undefined);
    return use(["gloo"]);
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    const reason = `${error.file} does not build against this libtorch\n${firstErrors(error.output)}`;
    return record({ ...left(reason), tried });
  }
}

/** What set-up recorded last; undefined before it did. */
export function readDistributedBuild(folder: string = buildFolder): DistributedBuild | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, RECORD), "utf8")) as DistributedBuild;
  } catch {
    return undefined;
  }
}

function hasGroups({ includeDirs }: Libtorch): boolean {
  const header = "torch/csrc/distributed/c10d/ProcessGroupGloo.hpp";
  return includeDirs.some((folder) => existsSync(join(folder, header)));
}

/** Headers that c10d's NCCL includes, its own and those of theirs that come in other packages, and libtorch has none of. */
const NCCL_HEADERS = ["nccl.h", "cuda_runtime.h", "crt/host_config.h", "nv/target"];

/** Folders that have these headers; without them where one is nowhere. */
function ncclHeaders(
  libtorch: Libtorch,
  machine: Machine,
): { readonly folders?: readonly string[]; readonly missing: readonly string[] } {
  const own = variable(machine, "CUDA_HOME");
  // PyTorch's CUDA builds from pip bring NVIDIA's packages beside themselves.
  const nvidia = join(libtorch.root, "..", "nvidia");
  const folders = [
    ...(own === undefined ? [] : [join(own, "include")]),
    ...["nccl", "cuda_runtime", "cu13"].map((name) => join(nvidia, name, "include")),
    "/usr/local/cuda/include",
    "/usr/include",
  ].flatMap((folder) => [folder, join(folder, "cccl")]);
  const found = NCCL_HEADERS.map((name) => folders.find((folder) => existsSync(join(folder, name))));
  const missing = NCCL_HEADERS.filter((_, place) => found[place] === undefined);
  if (missing.length > 0) return { missing };
  return { folders: [...new Set(found)] as string[], missing };
}

function firstErrors(output: string): string {
  return output
    .split("\n")
    .filter((line) => /error|undefined/i.test(line))
    .slice(0, 3)
    .join("\n");
}
