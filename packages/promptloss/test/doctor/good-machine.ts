// The facts of a machine with nothing to complain about, for tests to spoil.
import type { Facts } from "../../src/doctor/facts.ts";

export const goodMachine: Facts = {
  node: "22.4.0",
  platform: "linux x64",
  libtorch: {
    root: "/home/ada/.cache/promptloss/libtorch/2.13.0/torch",
    lib: "/home/ada/.cache/promptloss/libtorch/2.13.0/torch/lib",
    version: "2.13.0",
    origin: "cache",
    cuda: false,
    mps: false,
  },
  referenceBlas: false,
  fetchableLibtorch: "2.13.0",
  native: {
    works: true,
    version: "2.13.0",
    threads: 8,
    devices: ["cpu"],
    rates: [
      { device: "cpu", dtype: "float32", size: 2048, teraflops: 0.9876 },
      { device: "cpu", dtype: "bfloat16", size: 2048, teraflops: 7.5 },
    ],
  },
  processGroups: { backends: ["gloo"] },
  processor: {
    model: "Intel(R) Xeon(R) Platinum 8481C",
    features: {
      AVX2: true,
      "AVX-512": true,
      "AVX-512 bf16": true,
      "AMX tile": true,
      "AMX bf16": true,
      "AMX int8": true,
    },
  },
  cores: { available: 8, limit: undefined },
  load: 0.4,
  ompNumThreads: undefined,
  memory: { total: 64e9, available: 60e9 },
  disk: { folder: "/home/ada/.cache/promptloss", free: 100e9 },
  gpus: [],
};
