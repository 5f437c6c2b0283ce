import { describe, expect, it } from "vitest";
import { goodMachine } from "../../test/doctor/good-machine.ts";
import type { Facts, NativeState } from "./facts.ts";
import { findingsOf } from "./findings.ts";

function codes(changes: Partial<Facts>): string[] {
  return findingsOf({ ...goodMachine, ...changes }).map(({ level, code }) =>
    level === "error" ? `${code}!` : code,
  );
}

function native(changes: Record<string, unknown>): NativeState {
  return { ...goodMachine.native, ...changes } as NativeState;
}

function rates(float32: number, bfloat16: number): NativeState {
  return native({
    rates: [
      { device: "cpu", dtype: "float32", size: 2048, teraflops: float32 },
      { device: "cpu", dtype: "bfloat16", size: 2048, teraflops: bfloat16 },
    ],
  });
}

describe("findingsOf", () => {
  const libtorch = goodMachine.libtorch!;
  const broken: NativeState = { works: false, message: "addon.node does not load", hint: "build it" };
  const gpus = [{ name: "NVIDIA L4", memory: 24e9 }];
  const oldBox = { model: "old", features: { AVX2: false, "AVX-512 bf16": false, "AMX bf16": false } };

  it.each<[string, Partial<Facts>, string[]]>([
    ["nothing", {}, []],
    ["an old Node", { node: "18.19.1" }, ["old-node!"]],
    ["no set-up", { libtorch: undefined, native: broken }, ["not-set-up!"]],
    ["a broken build", { native: broken }, ["native-broken!"]],
    ["libtorch 1.13", { libtorch: { ...libtorch, version: "1.13.0" } }, ["old-libtorch"]],
    ["the reference BLAS", { referenceBlas: true }, ["reference-blas"]],
    ["libtorch 2.1", { libtorch: { ...libtorch, version: "2.1.0" } }, []],
    ["a GPU that a CPU build cannot use", { gpus }, ["unused-gpu"]],
    ["a CUDA build without a device", { libtorch: { ...libtorch, cuda: true } }, ["no-cuda-device"]],
    [
      "a CUDA build with its device",
      { libtorch: { ...libtorch, cuda: true }, gpus, native: native({ devices: ["cpu", "cuda:0"] }) },
      [],
    ],
    ["an old processor", { processor: oldBox }, ["no-avx2", "no-bf16"]],
    ["an Arm with bf16", { processor: { model: "arm", features: { NEON: true, bf16: true } } }, []],
    ["bf16 in software", { native: rates(1, 0.5) }, ["slow-bf16"]],
    ["a busy processor", { load: 8.2 }, ["busy"]],
    ["one thread", { native: native({ threads: 1 }), ompNumThreads: "1" }, ["few-threads"]],
    ["a container's limit", { cores: { available: 8, limit: 2.5 } }, ["many-threads"]],
    [
      "a container's limit below one core",
      { cores: { available: 8, limit: 0.5 } },
      ["many-threads", "one-core"],
    ],
    ["one core", { cores: { available: 1, limit: undefined }, native: native({ threads: 1 }) }, ["one-core"]],
    ["little memory", { memory: { total: 8e9, available: 1.6e9 } }, ["little-memory"]],
    ["a full disk", { disk: { folder: "/c", free: 1e9 } }, ["little-disk"]],
    [
      "errors before advice",
      { disk: { folder: "/c", free: 1e9 }, native: broken },
      ["native-broken!", "little-disk"],
    ],
  ])("finds: %s", (_, changes, expected) => {
    expect(codes(changes)).toEqual(expected);
  });

  it("says what to do", () => {
    const [finding] = findingsOf({ ...goodMachine, native: native({ threads: 1 }), ompNumThreads: "1" });
    expect(finding).toEqual({
      level: "advice",
      code: "few-threads",
      message: "1 of 8 cores is used: OMP_NUM_THREADS is 1",
      remedy: "unset OMP_NUM_THREADS to use them all",
    });
    const [memory] = findingsOf({ ...goodMachine, memory: { total: 8e9, available: 1.6e9 } });
    expect(memory?.message).toBe(
      "1.6 GB of memory are free: full fine-tuning with AdamW fits up to 100 million parameters, activations aside",
    );
  });
});
