// The processor's model and the features that matrix products use: from /proc/cpuinfo on Linux, from sysctl on
// macOS. The parsers are pure; only `readProcessor` looks at the machine.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus } from "node:os";

export interface Processor {
  readonly model: string;
  /** What matters to matrix products on this kind of processor, and whether it is there. */
  readonly features: Readonly<Record<string, boolean>>;
}

/** Feature names as people write them, with the name that Linux and that macOS give each. */
const FEATURES: Record<string, Record<string, { linux: string; darwin: string }>> = {
  x64: {
    AVX2: { linux: "avx2", darwin: "hw.optional.avx2_0" },
    "AVX-512": { linux: "avx512f", darwin: "hw.optional.avx512f" },
    "AVX-512 bf16": { linux: "avx512_bf16", darwin: "hw.optional.avx512_bf16" },
    "AMX tile": { linux: "amx_tile", darwin: "hw.optional.amx_tile" },
    "AMX bf16": { linux: "amx_bf16", darwin: "hw.optional.amx_bf16" },
    "AMX int8": { linux: "amx_int8", darwin: "hw.optional.amx_int8" },
  },
  arm64: {
    NEON: { linux: "asimd", darwin: "hw.optional.neon" },
    bf16: { linux: "bf16", darwin: "hw.optional.arm.FEAT_BF16" },
    int8: { linux: "i8mm", darwin: "hw.optional.arm.FEAT_I8MM" },
    SVE: { linux: "sve", darwin: "hw.optional.arm.FEAT_SVE" },
    SVE2: { linux: "sve2", darwin: "hw.optional.arm.FEAT_SVE2" },
  },
};

/** Reads the text of /proc/cpuinfo. @param arch Node's name of the processor family. */
export function parseCpuinfo(text: string, arch: string): Processor {
  const field = (name: RegExp): string | undefined => name.exec(text)?.[1]?.trim();
  const flags = new Set(field(/^(?:flags|Features)\s*:(.*)$/m)?.split(/\s+/));
  return {
    model: field(/^model name\s*:(.*)$/m) ?? "unknown",
    features: pick(arch, (names) => flags.has(names.linux)),
  };
}

/** Reads what `sysctl hw.optional machdep.cpu` prints. */
export function parseSysctl(text: string, arch: string): Processor {
  const values = new Map(
    text.split("\n").map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon), line.slice(colon + 1).trim()];
    }),
  );
  return {
    model: values.get("machdep.cpu.brand_string") ?? "unknown",
    features: pick(arch, (names) => values.get(names.darwin) === "1"),
  };
}

function pick(
  arch: string,
  has: (names: { linux: string; darwin: string }) => boolean,
): Record<string, boolean> {
  return Object.fromEntries(Object.entries(FEATURES[arch] ?? {}).map(([name, names]) => [name, has(names)]));
}

/** This machine's processor. Arm's cpuinfo has no model; Node may know one. */
export function readProcessor(): Processor {
  const found = lookUp();
  return found.model === "unknown" ? { ...found, model: cpus()[0]?.model || "unknown" } : found;
}

function lookUp(): Processor {
  try {
    if (process.platform !== "darwin")
      return parseCpuinfo(readFileSync("/proc/cpuinfo", "utf8"), process.arch);
    const text = execFileSync("sysctl", ["hw.optional", "machdep.cpu"], { encoding: "utf8" });
    return parseSysctl(text, process.arch);
  } catch {
    return { model: "unknown", features: {} };
  }
}
