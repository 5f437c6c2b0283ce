import { describe, expect, it } from "vitest";
import { parseGpus } from "./gather.ts";

describe("parseGpus", () => {
  it("reads nvidia-smi's lines and passes over its complaints", () => {
    expect(parseGpus("NVIDIA H200, 143771\nNo devices were found\n")).toEqual([
      { name: "NVIDIA H200", memory: 143771 * 2 ** 20 },
    ]);
    expect(parseGpus("")).toEqual([]);
  });
});
