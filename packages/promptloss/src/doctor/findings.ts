// What follows from the facts: each shortfall and what to do about it. Pure.
import { compareVersions, DEBIAN_BLAS, setupCommand } from "@promptloss/torch/setup";
import { PRODUCT_DTYPES } from "../dtypes.ts";
import type { Facts, MatrixRate } from "./facts.ts";

export interface Finding {
  /** `error`: something needed does not work. `advice`: it works, and could do better. */
  readonly level: "error" | "advice";
  /** Names the kind of finding, for programs. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

const GB = 1e9;

/** The findings, errors first. */
export function findingsOf(facts: Facts): Finding[] {
  const all = [
    ...nativeFindings(facts),
    ...speedFindings(facts),
    ...threadFindings(facts),
    ...spaceFindings(facts),
  ];
  return [...all.filter(({ level }) => level === "error"), ...all.filter(({ level }) => level === "advice")];
}

function error(code: string, message: string, remedy: string): Finding {
  return {
    level: "error",
    code,
    message,
    remedy,
  };
}
function advice(code: string, message: string, remedy: string): Finding {
  return {
    level: "advice",
    code,
    message,
    remedy,
  };
}

function* nativeFindings(facts: Facts): Generator<Finding> {
  const { node, libtorch, referenceBlas, native, fetchableLibtorch, gpus } = facts;
  if (compareVersions(node, "20.0.0") < 0) {
    yield error("old-node", `Node ${node} is too old: 20 is the oldest that works`, "install a current Node");
  }
  if (libtorch === undefined) {
    yield error(
      "not-set-up",
      "nothing is set up yet",
      `${setupCommand()} finds or fetches libtorch and builds the native code`,
    );
  } else if (!native.works) {
    yield error(
      "native-broken",
      native.message,
      native.hint ?? `${setupCommand()} builds the native code again`,
    );
  }
  if (libtorch !== undefined && compareVersions(libtorch.version, "2.0.0") < 0) {
    yield advice(
      "old-libtorch",
      `libtorch ${libtorch.version} works, and ${fetchableLibtorch} is faster, most of all in bfloat16`,
      `${setupCommand("--fetch")} fetches it`,
    );
  }
  if (referenceBlas) {
    yield advice(
      "reference-blas",
      "libtorch takes float32 products from the reference BLAS, which is some twenty times slower than others",
      `sudo apt-get install ${DEBIAN_BLAS}: Debian then takes that in its place`,
    );
  }
  if (gpus.length > 0 && libtorch !== undefined && !libtorch.cuda) {
    yield advice(
      "unused-gpu",
      `${gpus[0]!.name} is not used: this libtorch has no CUDA`,
      `LIBTORCH_USE_PYTORCH=1 ${setupCommand()} takes the torch of a Python that has it with CUDA`,
    );
  }
  if (libtorch?.cuda && native.works && !native.devices.some((device) => device.startsWith("cuda"))) {
    yield advice(
      "no-cuda-device",
      "libtorch has CUDA, and sees no device",
      "check the driver with nvidia-smi, and CUDA_VISIBLE_DEVICES",
    );
  }
}

function* speedFindings({ processor, native, cores, load }: Facts): Generator<Finding> {
  const { features } = processor;
  if (features.AVX2 === false) {
    yield advice(
      "no-avx2",
      "the processor has no AVX2: everything is slow on it",
      "use a newer machine for more than trying things out",
    );
  }
  if (!native.works) return;
  if (load >= cores.available) {
    yield advice(
      "busy",
      `other programs keep the processor busy (load ${load.toFixed(1)} on ${cores.available} cores): the rates above are lower than it can do`,
      "run the doctor again when they rest",
    );
  }
  if (native.devices.some((device) => device !== "cpu")) return;
  const hasBf16 = ["AVX-512 bf16", "AMX bf16", "bf16"].some((name) => features[name]);
  const [fp32, bf16] = PRODUCT_DTYPES.map((dtype) => rateOn(native.rates, "cpu", dtype));
  if (!hasBf16) {
    yield advice(
      "no-bf16",
      "the processor has no bfloat16 instructions",
      "compute in float32: bfloat16 saves memory here, and no time",
    );
  } else if (fp32 !== undefined && bf16 !== undefined && bf16 < fp32) {
    yield advice(
      "slow-bf16",
      `bfloat16 products run at ${(bf16 / fp32).toFixed(2)} times the rate of float32 ones`,
      "compute in float32 on this machine, or use a newer libtorch",
    );
  }
}

function rateOn(rates: readonly MatrixRate[], device: string, dtype: string): number | undefined {
  return rates.find((rate) => rate.device === device && rate.dtype === dtype)?.teraflops;
}

function* threadFindings({ native, cores, ompNumThreads }: Facts): Generator<Finding> {
  if (!native.works) return;
  const { threads } = native;
  // A container that is given 2 cores may state 1.99.
  const allowed = Math.floor((cores.limit ?? Number.POSITIVE_INFINITY) + 0.05);
  const usable = Math.max(1, Math.min(cores.available, allowed));
  if (threads < usable) {
    const why = ompNumThreads === undefined ? "" : `: OMP_NUM_THREADS is ${ompNumThreads}`;
    yield advice(
      "few-threads",
      `${threads} of ${usable} cores ${threads === 1 ? "is" : "are"} used${why}`,
      ompNumThreads === undefined ? `set OMP_NUM_THREADS=${usable}` : "unset OMP_NUM_THREADS to use them all",
    );
  } else if (threads > usable) {
    yield advice(
      "many-threads",
      `${threads} threads share ${usable} ${usable === 1 ? "core" : "cores"}, which is slower than one thread a core`,
      `set OMP_NUM_THREADS=${usable}`,
    );
  }
  if (usable === 1) yield advice("one-core", "there is one core", "training is several times faster on more");
}

function* spaceFindings({ memory, disk }: Facts): Generator<Finding> {
  if (memory.available < 4 * GB) {
    // Weights, gradients and AdamW's two moments in float32: 16 bytes a parameter.
    const parameters = Math.floor(memory.available / 16 / 1e6);
    yield advice(
      "little-memory",
      `${formatGB(memory.available)} of memory are free: full fine-tuning with AdamW fits up to ${parameters} million parameters, activations aside`,
      "close other programs, use LoRA, or use a machine with more",
    );
  }
  if (disk.free < 5 * GB) {
    yield advice(
      "little-disk",
      `${formatGB(disk.free)} are free at ${disk.folder}`,
      "make room, or name another folder with PROMPTLOSS_CACHE",
    );
  }
}

/** Bytes as people read them, in powers of ten. */
export function formatGB(bytes: number): string {
  return `${(bytes / GB).toFixed(bytes < 10 * GB ? 1 : 0)} GB`;
}
