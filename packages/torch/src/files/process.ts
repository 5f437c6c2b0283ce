// Which process is meant by what a file says of one: its id counts only together with its machine and its start.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process, told apart from every other one of any machine. */
export interface ProcessIdentity {
  readonly host: string;
  /** The boot of the machine and the space of process ids, where the system says: ids mean nothing in another. */
  readonly space?: string;
  readonly pid: number;
  /** When it started, as the system writes it; undefined where the system does not say. */
  readonly started?: string;
}

/** Whether some process of this machine has this id now. */
export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export function thisProcess(): ProcessIdentity {
  const [space, started] = [processSpace(), startOf(process.pid)];
  return {
    host: hostname(),
    ...(space !== undefined && { space }),
    pid: process.pid,
    ...(started !== undefined && { started }),
  };
}

/** Whether a process runs; `undefined` where that can't be seen from here: it is of another machine or container. */
export function isRunning({ host, space, pid, started }: ProcessIdentity): boolean | undefined {
  if (host !== hostname() || space !== processSpace()) return undefined;
  return isAlive(pid) && (started === undefined || started === startOf(pid));
}

/**
 * When a process started: the 22nd field of Linux's /proc/PID/stat, in ticks since the machine started; elsewhere what
 * `ps` says.
 */
function startOf(pid: number): string | undefined {
  if (process.platform === "linux") {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      // The second field, the program's name, may hold spaces and brackets.
      return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    } catch {
      return undefined;
    }
  }
  if (process.platform === "win32") return undefined;
  const { stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  return stdout?.trim() || undefined;
}

/** Linux: the boot's id and the namespace of process ids, which differs between containers of one machine. */
function processSpace(): string | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return undefined;
  }
}

/** This process's identity as a part of a file's name. */
export function processTag(): string {
  const { host, space, pid, started } = thisProcess();
  return `${machineTag(host, space)}-${pid}-${started?.replaceAll(/\W/g, "") ?? ""}`;
}

/** Whether the process of a tag runs; `undefined` where that can't be seen from here. */
export function isTagRunning(tag: string): boolean | undefined {
  const [machine, pid, started] = tag.split("-");
  if (machine !== machineTag(hostname(), processSpace())) return undefined;
  const now = isAlive(Number(pid)) ? startOf(Number(pid))?.replaceAll(/\W/g, "") : undefined;
  return isAlive(Number(pid)) && (started === "" || started === now);
}

function machineTag(host: string, space: string | undefined): string {
  return createHash("sha256")
    .update(JSON.stringify([host, space]))
    .digest("hex")
    .slice(0, 8);
}
