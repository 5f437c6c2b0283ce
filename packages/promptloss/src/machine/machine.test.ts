import { describe, expect, it } from "vitest";
import { cpuLimit } from "./cgroup.ts";
import { parseCpuinfo, parseSysctl, readProcessor } from "./processor.ts";

describe("parseCpuinfo", () => {
  it("reads an x86 processor", () => {
    const text = `processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum 8481C
flags\t\t: fpu avx avx2 avx512f avx512_bf16 amx_bf16 amx_tile
bugs\t\t: spectre_v1 amx_int8`;
    expect(parseCpuinfo(text, "x64")).toEqual({
      model: "Intel(R) Xeon(R) Platinum 8481C",
      features: {
        AVX2: true,
        "AVX-512": true,
        "AVX-512 bf16": true,
        "AMX tile": true,
        "AMX bf16": true,
        "AMX int8": false,
      },
    });
  });

  it("reads an Arm processor, which states no model", () => {
    const { model, features } = parseCpuinfo("Features\t: fp asimd i8mm bf16 sve\n", "arm64");
    expect(model).toBe("unknown");
    expect(features).toEqual({ NEON: true, bf16: true, int8: true, SVE: true, SVE2: false });
  });

  it("knows no features of other families", () => {
    expect(parseCpuinfo("flags : x", "riscv64").features).toEqual({});
  });
});

describe("parseSysctl", () => {
  it("reads Apple's processors", () => {
    const text = "machdep.cpu.brand_string: Apple M2\nhw.optional.arm.FEAT_BF16: 1\nhw.optional.neon: 1\n";
    expect(parseSysctl(text, "arm64")).toMatchObject({
      model: "Apple M2",
      features: { bf16: true, SVE: false },
    });
  });
});

describe("readProcessor", () => {
  it("names this machine's", () => {
    expect(readProcessor().model).not.toBe("");
  });
});

describe("cpuLimit", () => {
  const machine = (files: Record<string, string>) => (path: string) => files[path];

  it.each<[string, Record<string, string>, number | undefined]>([
    ["nothing", {}, undefined],
    ["no quota", { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n" }, undefined],
    ["a quota", { "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "150000 100000\n" }, 1.5],
    [
      "the smallest of nested ones",
      {
        "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/a/cpu.max": "200000 100000",
        "/sys/fs/cgroup/a/b/cpu.max": "400000 100000",
      },
      2,
    ],
    [
      "the first generation, by its controller",
      {
        "/proc/self/cgroup": "4:memory:/m\n1:cpu,cpuacct:/docker/x\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      },
      0.5,
    ],
    [
      "the first generation without one",
      {
        "/proc/self/cgroup": "1:cpu:/\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
        "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
      },
      undefined,
    ],
  ])("reads %s", (_, files, expected) => {
    expect(cpuLimit(machine(files))).toBe(expected);
  });
});
