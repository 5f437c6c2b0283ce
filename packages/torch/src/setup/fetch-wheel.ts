// Fetches PyTorch's CPU wheel, by HTTPS from where PyTorch publishes it or else through pip, and keeps its libtorch in the
// user's cache. A wheel is a zip: nothing of Python is needed, then or afterward.
import { existsSync, readdirSync, renameSync, rmSync, statfsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../files/atomic.ts";
import { isAlive } from "../files/process.ts";
import { cacheFolder, type Machine } from "../machine.ts";
import {
  type DownloadWheelOptions,
  downloadWheel,
  removeDownload,
  waitForOtherDownload,
} from "./fetch-https.ts";
import { installWithPip, type PipOptions } from "./fetch-pip.ts";
import { describeLibtorch, type Libtorch } from "./libtorch.ts";
import { libtorchOfCache } from "./places.ts";
import { isPythonLibrary, LIBTORCH_FOLDERS } from "./unpack-wheel.ts";
import { FETCHED_VERSION } from "./wheel.ts";

/** Bytes that the wheel, its contents and the copy that is kept take together at most. */
const NEEDED_SPACE = 1.5e9;

export interface FetchOptions extends PipOptions, DownloadWheelOptions {}

export type FetchResult =
  | { readonly libtorch: Libtorch }
  /** Why each way failed: sentences without their full stops. */
  | { readonly libtorch: undefined; readonly reasons: readonly string[] };

/** Fetches the wheel into the cache folder. Never throws for what the network or pip does: those are `reasons`. */
export async function fetchWheel(machine: Machine, options: FetchOptions = {}): Promise<FetchResult> {
  const parent = join(cacheFolder(machine), "libtorch");
  try {
    makeFolder(parent);
    removeAbandoned(parent);
    const { bavail, bsize } = statfsSync(parent);
    if (bavail * bsize < NEEDED_SPACE) {
      return { libtorch: undefined, reasons: [`${parent} has less than ${NEEDED_SPACE / 1e9} GB free`] };
    }
    if (await waitForOtherDownload(parent, machine, options.log)) {
      const theirs = libtorchOfCache(machine);
      if (theirs?.version === FETCHED_VERSION) return { libtorch: theirs };
    }
    const folder = await mkdtemp(join(parent, `.fetch-${process.pid}-`));
    try {
      const site = join(folder, "site");
      const https = await downloadWheel(parent, site, machine, options);
      const pip = https === undefined ? undefined : await installWithPip(folder, site, machine, options);
      if (https !== undefined && pip !== undefined) {
        return { libtorch: undefined, reasons: [https, pip] };
      }
      const libtorch = keepLibtorch(folder, site, join(parent, FETCHED_VERSION), machine);
      removeDownload(parent, machine);
      return { libtorch };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch (error) {
    return {
      libtorch: undefined,
      reasons: [`the wheel could not be unpacked in ${parent}: ${String(error)}`],
    };
  }
}

/** Moves libraries, headers and licenses from `site` to `target`, all at once, and describes them there. */
function keepLibtorch(folder: string, site: string, target: string, machine: Machine): Libtorch {
  const kept = join(folder, "kept");
  makeFolder(join(kept, "torch/share"));
  const info = readdirSync(site).find((name) => /^torch-.*\.dist-info$/.test(name));
  for (const part of LIBTORCH_FOLDERS) {
    if (existsSync(join(site, part))) renameSync(join(site, part), join(kept, part));
  }
  if (info !== undefined) renameSync(join(site, info), join(kept, info));
  for (const name of readdirSync(join(kept, "torch/lib"))) {
    if (isPythonLibrary(name)) rmSync(join(kept, "torch/lib", name));
  }
  const place = (root: string) => ({ root, include: join(root, "include"), lib: join(root, "lib") });
  describeLibtorch(place(join(kept, "torch")), "cache", machine.platform);
  // Another process may have put a whole copy there meanwhile; one that is not whole gives way.
  if (libtorchOfCache(machine)?.root !== join(target, "torch")) {
    rmSync(target, { recursive: true, force: true });
    renameSync(kept, target);
  }
  return describeLibtorch(place(join(target, "torch")), "cache", machine.platform);
}

/** Removes what fetches that were killed left behind. */
function removeAbandoned(parent: string): void {
  for (const name of readdirSync(parent)) {
    const pid = /^\.fetch-(\d+)-/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}
