// The process around the tensors: libtorch's version, threads, random state, devices.

import { ArgumentError } from "./errors.ts";
import { addon, currentBuild } from "./native/addon.ts";
import { adopt } from "./scope.ts";
import { shown } from "./shown.ts";
import type { Tensor } from "./tensor.ts";

/** The libtorch in use: "2.13.0", its folder, and how it was found. */
export function libtorch(): { version: string; root: string; origin: string } {
  const { root, origin } = currentBuild().libtorch;
  return { version: addon.version(), root, origin };
}

/** The threads that one operator may use: the cores available, unless OMP_NUM_THREADS or `setNumThreads` said. */
export function getNumThreads(): number {
  return addon.getThreads();
}

export function setNumThreads(count: number): void {
  addon.setThreads(count);
}

/**
 * Settings for a process that trains or generates, made once, before the first operator, and kept to its end: with
 * glibc, small and middle-sized pieces of memory that tensors free stay in the process; libtorch and oneDNN keep 256
 * compiled products each, not 1,024, which batches of ever new shapes fill with gigabytes. What the environment says
 * (`MALLOC_*`, `GLIBC_TUNABLES`, `LRU_CACHE_CAPACITY`, `ONEDNN_PRIMITIVE_CACHE_CAPACITY`) stays.
 */
export function tuneProcess(): void {
  addon.tuneProcess();
}

/**
 * For a loop whose rounds take the same memory again: until the end of the block, `using memory = reusingMemory()`, what
 * tensors on the CPU free stays in the process, pieces of any size, where the C library would ask the system for them
 * anew, page by page. With glibc; elsewhere, and where the environment says how malloc is to do it, nothing changes.
 */
export function reusingMemory(): Disposable {
  return during((begin) => addon.reuseMemory(begin));
}

/**
 * For a process whose memory matters more than its time: until the end of the block, `using memory = returningMemory()`,
 * pieces of 4 MB and more go back to the system as soon as tensors on the CPU free them, whatever
 * {@link reusingMemory} and {@link tuneProcess} say. With glibc; elsewhere, and where the environment says how malloc
 * is to do it, nothing changes.
 */
export function returningMemory(): Disposable {
  return during((begin) => addon.returnMemory(begin));
}

/** Says that something begins, and once, that it ends. */
function during(tell: (begin: boolean) => void): Disposable {
  tell(true);
  let ended = false;
  return {
    [Symbol.dispose]() {
      if (!ended) tell(false);
      ended = true;
    },
  };
}

/**
 * Seeds the generators of all devices with a whole number of 64 bits. On the CPU the same seed gives the same bits
 * again, with the same native code, libtorch and number of threads, on the same kind of processor.
 * @throws {ArgumentError} for anything else
 */
export function manualSeed(seed: number | bigint): void {
  if (typeof seed !== "bigint" && !Number.isSafeInteger(seed))
    throw new ArgumentError(`manualSeed: expected a whole number, got ${shown(seed)}`, {
      argument: "seed",
      expected: "a whole number",
      received: typeof seed === "number" ? shown(seed) : typeof seed,
    });
  addon.manualSeed(BigInt(seed));
}

/** The state of a device's generator, uint8, for `setRngState`. */
export function getRngState(device = "cpu"): Tensor {
  return adopt(addon.getRngState(device));
}

export function setRngState(state: Tensor, device = "cpu"): void {
  addon.setRngState(device, state.handle);
}

/** The devices of this machine that the linked libtorch can use: "cpu" first. */
export function availableDevices(): string[] {
  const { cuda, mps } = addon.devices();
  return ["cpu", ...Array.from({ length: cuda }, (_, i) => `cuda:${i}`), ...(mps ? ["mps"] : [])];
}

/** Waits until a device has done what was asked of it; on the CPU that is always so. */
export function synchronize(device = "cpu"): void {
  addon.synchronize(device);
}

/** Loads a library of operators (TORCH_LIBRARY), as Python's torch.ops.load_library does. */
export function loadLibrary(path: string): void {
  addon.loadLibrary(path);
}
