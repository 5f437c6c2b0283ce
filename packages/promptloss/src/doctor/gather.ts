// Gathers the facts about this machine. What cannot be found out is left at its harmless value; only the probe of
// the native code takes time.
import { existsSync, statfsSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { dirname } from "node:path";
import type { TorchError } from "@promptloss/torch";
import {
  type CurrentBuild,
  cacheFolder,
  ensureSetUp,
  FETCHED_VERSION,
  readDistributedBuild,
  thisMachine,
  usesReferenceBlas,
} from "@promptloss/torch/setup";
import { cpuLimit } from "../machine/cgroup.ts";
import { readGpus, readMemory } from "../machine/memory.ts";
import { readProcessor } from "../machine/processor.ts";
import type { Facts } from "./facts.ts";
import { probeNative } from "./probe.ts";

/** The facts about this machine, which takes some seconds: matrices are multiplied. */
export async function gatherFacts(): Promise<Facts> {
  // Before the probe adds to it.
  const load = loadavg()[0] ?? 0;
  const cache = cacheFolder(thisMachine());
  const { libtorch, native } = await examineNative();
  return {
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    libtorch,
    referenceBlas: libtorch !== undefined && usesReferenceBlas(libtorch.lib),
    fetchableLibtorch: FETCHED_VERSION,
    native,
    processGroups: processGroupsOf(libtorch),
    processor: readProcessor(),
    cores: { available: availableParallelism(), limit: cpuLimit() },
    load,
    ompNumThreads: process.env.OMP_NUM_THREADS,
    memory: readMemory(),
    disk: { folder: cache, free: freeSpace(cache) },
    gpus: readGpus(),
  };
}

/** Sets up what is not; where that fails, says why. */
async function examineNative(): Promise<Pick<Facts, "libtorch" | "native">> {
  try {
    const { libtorch } = ensureSetUp();
    return { libtorch, native: await probeNative() };
  } catch (error) {
    const { message, hint } = error as TorchError;
    return { libtorch: undefined, native: { works: false, message, hint } };
  }
}

function processGroupsOf(libtorch: CurrentBuild["libtorch"] | undefined): Facts["processGroups"] {
  const build = readDistributedBuild();
  if (build === undefined || build.lib !== libtorch?.lib)
    return { backends: [], reason: "set-up has not built process groups for this libtorch" };
  const { backends, reason } = build;
  return { backends, ...(reason !== undefined && { reason }) };
}

function freeSpace(folder: string): number {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}
