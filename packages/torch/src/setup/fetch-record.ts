// Remembers for a day that the wheel could not be fetched, so that the next run does not wait for the network and pip again.
// It is asked only where an older libtorch serves meanwhile.
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder } from "../files/atomic.ts";
import { cacheFolder, type Machine } from "../machine.ts";
import { FETCHED_VERSION } from "./wheel.ts";

const DAY = 24 * 3600 * 1000;

interface FetchRecord {
  readonly reason: string;
  /** When the fetch failed, in ms since 1970. */
  readonly time: number;
  /** What would have to differ for another try to go differently. */
  readonly settings: string;
}

function recordFile(machine: Machine): string {
  return join(cacheFolder(machine), "libtorch", "failed-fetch.json");
}

// The mirror, pip's variables and the choice of Python: a user who follows the advice and changes them gets a new try at once.
function settings(machine: Machine): string {
  const relevant = Object.entries(machine.env)
    .filter(([name]) =>
      /^(PIP_|PROMPTLOSS_(PYTHON|LIBTORCH_URL)$|PATH$|VIRTUAL_ENV$|https?_proxy$)/i.test(name),
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([FETCHED_VERSION, relevant]))
    .digest("hex");
}

/** Why fetching failed less than a day ago with the same settings, or undefined. */
export function recentFailure(machine: Machine, now: number = Date.now()): string | undefined {
  try {
    const record = JSON.parse(readFileSync(recordFile(machine), "utf8")) as FetchRecord;
    const holds = record.settings === settings(machine) && now - record.time < DAY && record.time <= now;
    return holds ? record.reason : undefined;
  } catch {
    return undefined;
  }
}

/** Records a failed fetch; `undefined` removes the record. A cache that cannot be written costs only time. */
export function recordFailure(machine: Machine, reason: string | undefined, now: number = Date.now()): void {
  const file = recordFile(machine);
  try {
    if (reason === undefined) {
      rmSync(file, { force: true });
      return;
    }
    makeFolder(dirname(file));
    const record: FetchRecord = { reason, time: now, settings: settings(machine) };
    writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
  } catch {
    // The next run asks again.
  }
}
