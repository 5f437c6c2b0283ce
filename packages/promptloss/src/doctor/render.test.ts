import { describe, expect, it } from "vitest";
import { goodMachine } from "../../test/doctor/good-machine.ts";
import { inkOf } from "../terminal/index.ts";
import type { Facts } from "./facts.ts";
import { findingsOf } from "./findings.ts";
import { renderReport } from "./render.ts";

function render(facts: Facts, colors = false): string {
  return renderReport(facts, findingsOf(facts), inkOf(colors));
}

describe("renderReport", () => {
  it("shows a good machine", () => {
    expect(render(goodMachine)).toMatchInlineSnapshot(`
      "promptloss doctor

        Node         22.4.0, linux x64
        libtorch     2.13.0 from the user's cache: /home/ada/.cache/promptloss/libtorch/2.13.0/torch
        native code  works
        processes    several can train together, through gloo
        processor    Intel(R) Xeon(R) Platinum 8481C
                     AVX2 ✓  AVX-512 ✓  AVX-512 bf16 ✓  AMX tile ✓  AMX bf16 ✓  AMX int8 ✓
        cores        8 available, 8 threads used
        memory       60 GB free of 64 GB
        disk         100 GB free at /home/ada/.cache/promptloss
        devices      cpu
        products     cpu: float32 0.988, bfloat16 7.5 TFLOP/s (2048³)

        ✓ everything needed works
      "
    `);
  });

  it("shows a machine without set-up", () => {
    const native = { works: false, message: "", hint: undefined } as const;
    expect(render({ ...goodMachine, libtorch: undefined, native })).toMatchInlineSnapshot(`
      "promptloss doctor

        Node         22.4.0, linux x64
        libtorch     none yet
        native code  does not work
        processor    Intel(R) Xeon(R) Platinum 8481C
                     AVX2 ✓  AVX-512 ✓  AVX-512 bf16 ✓  AMX tile ✓  AMX bf16 ✓  AMX int8 ✓
        cores        8 available
        memory       60 GB free of 64 GB
        disk         100 GB free at /home/ada/.cache/promptloss

        ✗ nothing is set up yet
          → npm run setup finds or fetches libtorch and builds the native code
      "
    `);
  });

  it("shows a machine with shortfalls", () => {
    const facts: Facts = {
      ...goodMachine,
      libtorch: { ...goodMachine.libtorch!, version: "1.13.0", origin: "system", root: "/usr" },
      cores: { available: 8, limit: 1.999 },
      gpus: [
        { name: "NVIDIA H200", memory: 150_754_820_096 },
        { name: "NVIDIA L4", memory: 24e9 },
      ],
    };
    expect(
      render({ ...facts, processGroups: { backends: [], reason: "there is no c10d" } }),
    ).toMatchInlineSnapshot(`
      "promptloss doctor

        Node         22.4.0, linux x64
        libtorch     1.13.0 from the system: /usr
        native code  works
        processes    one by itself: there is no c10d
        processor    Intel(R) Xeon(R) Platinum 8481C
                     AVX2 ✓  AVX-512 ✓  AVX-512 bf16 ✓  AMX tile ✓  AMX bf16 ✓  AMX int8 ✓
        cores        8 available, limited to 2, 8 threads used
        memory       60 GB free of 64 GB
        disk         100 GB free at /home/ada/.cache/promptloss
        graphics     NVIDIA H200, 151 GB
                     NVIDIA L4, 24 GB
        devices      cpu
        products     cpu: float32 0.988, bfloat16 7.5 TFLOP/s (2048³)

        ! libtorch 1.13.0 works, and 2.13.0 is faster, most of all in bfloat16
          → npm run setup -- --fetch fetches it
        ! NVIDIA H200 is not used: this libtorch has no CUDA
          → LIBTORCH_USE_PYTORCH=1 npm run setup takes the torch of a Python that has it with CUDA
        ! 8 threads share 2 cores, which is slower than one thread a core
          → set OMP_NUM_THREADS=2
        ✓ everything needed works
      "
    `);
  });

  it("says the same with colors", () => {
    const colored = render(goodMachine, true);
    expect(colored).not.toBe(render(goodMachine));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character is what colors are made of.
    expect(colored.replaceAll(/\x1b\[\d+m/g, "")).toBe(render(goodMachine));
  });
});
