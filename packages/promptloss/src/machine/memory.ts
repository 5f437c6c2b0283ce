// How much memory this machine has: a container's limit counts, and GPUs are asked of their driver.
import { execFileSync } from "node:child_process";
import { freemem, totalmem } from "node:os";

/** Bytes. */
export interface MachineMemory {
  readonly total: number;
  readonly available: number;
}

export interface Gpu {
  readonly name: string;
  /** Bytes. */
  readonly memory: number;
}

export function readMemory(): MachineMemory {
  // 0 or an absurdly large number where no container limits it.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  if (limit >= totalmem()) return { total: totalmem(), available: freemem() };
  return { total: limit, available: Math.min(freemem(), process.availableMemory()) };
}

/** None where there is no driver of NVIDIA's. */
export function readGpus(): readonly Gpu[] {
  try {
    const query = ["--query-gpu=name,memory.total", "--format=csv,noheader,nounits"];
    const text = execFileSync("nvidia-smi", query, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return parseGpus(text);
  } catch {
    return [];
  }
}

/** Reads nvidia-smi's lines, such as `NVIDIA H200, 143771`, where memory is in MiB. */
export function parseGpus(text: string): readonly Gpu[] {
  return text
    .trim()
    .split("\n")
    .flatMap((line) => {
      const [, name, mebibytes] = /^(.+),\s*(\d+)\s*$/.exec(line) ?? [];
      return name === undefined ? [] : [{ name, memory: Number(mebibytes) * 2 ** 20 }];
    });
}

/**
 * Bytes that each of some processes has on a device; undefined where that is not known.
 * @param device "cpu", "cuda:0", "mps:0"
 * @param processes of this machine; on GPUs each has one of its own
 */
export function memoryOfDevice(device: string, processes: number, gpus = readGpus): number | undefined {
  if (!device.startsWith("cuda")) return readMemory().total / processes;
  return gpus()[Number(device.split(":")[1] ?? 0)]?.memory;
}
