import { describe, expect, it, test } from "vitest";
import { memoryOfDevice, parseGpus } from "./memory.ts";

describe("parseGpus", () => {
  it("reads nvidia-smi's lines and passes over its complaints", () => {
    expect(parseGpus("NVIDIA H200, 143771\nNo devices were found\n")).toEqual([
      { name: "NVIDIA H200", memory: 143771 * 2 ** 20 },
    ]);
    expect(parseGpus("")).toEqual([]);
  });
});

test("a GPU is one process's, the machine's memory is shared", () => {
  const gpus = () => [
    { name: "A", memory: 1 },
    { name: "B", memory: 2 },
  ];
  expect([0, 1, 2].map((place) => memoryOfDevice(`cuda:${place}`, 2, gpus))).toEqual([1, 2, undefined]);
  expect(memoryOfDevice("cpu", 1)! / memoryOfDevice("cpu", 4)!).toBe(4);
});
