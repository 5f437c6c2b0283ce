// Fetches PyTorch's CPU wheel as the file that it is, from PyTorch's address or a mirror. A download that was broken off is
// resumed; one that another process has begun is waited for.
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isTagRunning, processTag } from "../files/process.ts";
import type { Machine } from "../machine.ts";
import { checkHash, download } from "./download.ts";
import { SetupError } from "./errors.ts";
import { downloadProgress } from "./progress.ts";
import { unpackWheel } from "./unpack-wheel.ts";
import { FETCHED_VERSION, platformOf, type WheelSource, wheelFor } from "./wheel.ts";

export interface DownloadWheelOptions {
  readonly log?: (line: string) => void;
  /** Where a bar can be drawn; lines through `log` where left out. */
  readonly terminal?: NodeJS.WriteStream | undefined;
}

/** Another process's download that has not grown for this long, in ms, is not waited for. */
const STALLED = 30_000;

/**
 * Downloads this machine's wheel into `parent` and takes libtorch out of it into `site`. Returns why that failed, or
 * undefined; what was downloaded stays, see {@link removeDownload}.
 */
export async function downloadWheel(
  parent: string,
  site: string,
  machine: Machine,
  options: DownloadWheelOptions,
): Promise<string | undefined> {
  let wheel: WheelSource | undefined;
  try {
    wheel = wheelFor(machine);
  } catch {
    return `PROMPTLOSS_LIBTORCH_URL is neither an address nor an absolute path: ${machine.env.PROMPTLOSS_LIBTORCH_URL}`;
  }
  if (wheel === undefined) return `PyTorch has no wheel for ${platformOf(machine)}`;
  try {
    if (wheel.url.protocol === "file:") {
      const file = fileURLToPath(wheel.url);
      if (!existsSync(file)) return `there is no ${file}`;
      options.log?.(`taking libtorch ${FETCHED_VERSION} from ${file}`);
      await checkHash(file, wheel.sha256, wheel.url);
      await unpackWheel(file, site);
      return undefined;
    }
    takeOverPart(parent, machine);
    const file = ownPart(parent, machine);
    await receive(wheel, file, parent, options);
    await unpackWheel(file, site);
    return undefined;
  } catch (error) {
    if (error instanceof SetupError)
      return error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
    return (error as Error).message;
  }
}

async function receive(
  { url, sha256 }: WheelSource,
  file: string,
  parent: string,
  { log = () => {}, terminal }: DownloadWheelOptions,
): Promise<void> {
  const progress = downloadProgress(`libtorch ${FETCHED_VERSION}`, { log, terminal });
  try {
    await download(url, file, {
      sha256,
      onStart(size, have) {
        log(
          `fetching libtorch ${FETCHED_VERSION}: ${megabytes(size)} from ${url}, unpacked about 480 MB in ${parent} (PROMPTLOSS_OFFLINE=1 forbids it)`,
        );
        if (have > 0) log(`  ${megabytes(have)} of it are here already`);
      },
      onProgress: progress.at,
    });
  } finally {
    progress.end();
  }
}

function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? "a file of unknown size" : `${(bytes / 1e6).toFixed(1)} MB`;
}

/**
 * Waits while another process downloads this machine's wheel into `parent`. Returns whether there was one: then libtorch may
 * be there now.
 */
export async function waitForOtherDownload(
  parent: string,
  machine: Machine,
  log: (line: string) => void = () => {},
): Promise<boolean> {
  let waited = false;
  const isBusy = (name: string): boolean =>
    isTagRunning(tagOf(name)) !== false && Date.now() - modified(join(parent, name)) < STALLED;
  while (partsOfOthers(parent, machine).some(isBusy)) {
    if (!waited) log("another process fetches libtorch: waiting for it");
    waited = true;
    await sleep(500);
  }
  return waited;
}

/** Removes what {@link downloadWheel} has left in `parent`, once libtorch is in its place. */
export function removeDownload(parent: string, machine: Machine): void {
  rmSync(ownPart(parent, machine), { force: true });
}

// The name of a part carries its process's tag, so that no two write the same.
function ownPart(parent: string, machine: Machine): string {
  return join(parent, `${prefixOf(machine)}${processTag()}`);
}

function prefixOf(machine: Machine): string {
  return `.part-${platformOf(machine)}_${FETCHED_VERSION}_`;
}

function tagOf(name: string): string {
  return name.slice(name.lastIndexOf("_") + 1);
}

function partsOfOthers(parent: string, machine: Machine): string[] {
  const mine = basename(ownPart(parent, machine));
  return readdirSync(parent).filter((name) => name.startsWith(prefixOf(machine)) && name !== mine);
}

/** Makes a part that a process left that is gone this process's own. */
function takeOverPart(parent: string, machine: Machine): void {
  const mine = ownPart(parent, machine);
  for (const name of partsOfOthers(parent, machine)) {
    if (isTagRunning(tagOf(name)) !== false) continue;
    if (existsSync(mine)) rmSync(join(parent, name), { force: true });
    else renameSync(join(parent, name), mine);
  }
}

function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
