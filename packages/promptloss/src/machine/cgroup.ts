// How much processor time a container allows this process, in cores. Linux keeps it in control groups, of which
// there are two generations; the innermost group and all groups around it count.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** Reads a file's text; undefined when there is none. */
export type ReadText = (path: string) => string | undefined;

const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

/** The smallest limit that applies, such as 1.5; undefined where nothing limits the process. */
export function cpuLimit(read: ReadText = readText): number | undefined {
  const limits: number[] = [];
  for (const line of read("/proc/self/cgroup")?.split("\n") ?? []) {
    const [, controllers, path] = /^\d+:([^:]*):(.+)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    if (controllers !== "" && !controllers.split(",").includes("cpu")) continue;
    // A container sees its own group as the root, while the path may be the host's: hence the root too.
    for (let group = path; ; group = dirname(group)) {
      limits.push(...limitsOf(group, controllers === "", read));
      if (group === "/" || group === ".") break;
    }
  }
  return limits.length === 0 ? undefined : Math.min(...limits);
}

function limitsOf(group: string, unified: boolean, read: ReadText): number[] {
  const number = (path: string): number => Number(read(path) ?? "-1");
  if (unified) {
    const [quota, period] = (read(join("/sys/fs/cgroup", group, "cpu.max")) ?? "max")
      .trim()
      .split(" ")
      .map(Number);
    return quota! > 0 && period! > 0 ? [quota! / period!] : [];
  }
  const folder = join("/sys/fs/cgroup/cpu", group);
  const quota = number(join(folder, "cpu.cfs_quota_us"));
  const period = number(join(folder, "cpu.cfs_period_us"));
  return quota > 0 && period > 0 ? [quota / period] : [];
}
