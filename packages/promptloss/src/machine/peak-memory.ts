import { readFileSync } from "node:fs";

/**
 * The most memory that this process has had resident, in bytes.
 *
 * Linux hands a process's `maxRSS` the figure of the process that started it, so what counts there is the kernel's
 * high-water mark of the memory itself.
 */
export function peakMemory(): number {
  if (process.platform === "linux") {
    const mark = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"));
    if (mark !== null) return Number(mark[1]) * 1024;
  }
  return process.resourceUsage().maxRSS * 1024;
}
