import { rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fakeLibtorch, temporaryFolder } from "../../test/setup/fake-libtorch.ts";
import { LibtorchInvalidError } from "./errors.ts";
import { compareVersions, describeLibtorch, type Libtorch, libtorchLine } from "./libtorch.ts";

function describeAt(root: string, platform: NodeJS.Platform = "linux"): Libtorch {
  return describeLibtorch(
    { root, include: join(root, "include"), lib: join(root, "lib") },
    "environment",
    platform,
  );
}

function messageAt(root: string): string {
  try {
    describeAt(root);
  } catch (error) {
    return error instanceof LibtorchInvalidError ? error.message.replace(root, "ROOT") : String(error);
  }
  return "no error";
}

describe("describeLibtorch", () => {
  it.each(["torch/headeronly/version.h", "torch/csrc/api/include/torch/version.h", "torch/version.h"])(
    "reads the version from %s",
    (versionFile) => {
      const root = fakeLibtorch(temporaryFolder(), "2.11.3", { versionFile });
      expect(describeAt(root).version).toBe("2.11.3");
    },
  );

  it.each([
    ['set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=0")', 0],
    ['set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI=1")', 1],
    ["set_target_properties(torch)", 1],
    [undefined, 1],
  ])("takes the C++11 ABI from TorchConfig.cmake: %s", (cmake, abi) => {
    const options = cmake === undefined ? {} : { cmake };
    expect(describeAt(fakeLibtorch(temporaryFolder(), "2.5.0", options)).cxx11Abi).toBe(abi);
  });

  it.each([
    ["2.13.0", "CXX_STANDARD 20", 20],
    ["2.13.0", undefined, 20],
    ["2.12.0", undefined, 20],
    ["2.11.0", undefined, 17],
    ["2.5.0", "CXX_STANDARD 17", 17],
    ["1.13.0", "CXX_STANDARD 14", 17],
  ])("knows the C++ standard of %s with %s", (version, cmake, standard) => {
    const options = cmake === undefined ? {} : { cmake };
    expect(describeAt(fakeLibtorch(temporaryFolder(), version, options)).cxxStandard).toBe(standard);
  });

  it("tells a build with CUDA and its OpenMP runtime from the libraries", () => {
    const extraLibraries = ["libtorch_cuda", "libc10_cuda", "libgomp-24e2ab19"];
    const root = fakeLibtorch(temporaryFolder(), "2.11.0", { extraLibraries });
    expect(describeAt(root)).toMatchObject({ cuda: true, mps: false, openmp: "libgomp-24e2ab19.so" });
    rmSync(join(root, "lib/libc10_cuda.so"));
    expect(describeAt(root).cuda).toBe(false);
  });

  it("names what a folder lacks", () => {
    const root = fakeLibtorch(temporaryFolder(), "2.11.0");
    rmSync(join(root, "lib/libc10.so"));
    rmSync(join(root, "include/ATen"), { recursive: true });
    expect(messageAt(root)).toMatchInlineSnapshot(
      `"ROOT is no libtorch: it has no include/ATen/ATen.h, no lib/libc10.so"`,
    );
    expect(messageAt(temporaryFolder())).toMatch(/is no libtorch: it has no include\/torch\/version\.h/);
  });

  it("refuses a version below 1.13", () => {
    const root = fakeLibtorch(temporaryFolder(), "1.12.1");
    expect(messageAt(root)).toMatchInlineSnapshot(
      `"libtorch 1.12.1 at ROOT is too old: 1.13 is the oldest that works"`,
    );
  });

  it("prints one line", () => {
    const line = libtorchLine({ version: "2.13.0", origin: "cache", root: "/home/ada/.cache/x" });
    expect(line).toMatchInlineSnapshot(`"libtorch 2.13.0 from the user's cache: /home/ada/.cache/x"`);
  });
});

describe("compareVersions", () => {
  const version = fc.array(fc.nat(99), { minLength: 3, maxLength: 3 });
  it("orders by number, part by part", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const i = a.findIndex((part, at) => part !== b[at]);
        const expected = i < 0 ? 0 : Math.sign(a[i]! - b[i]!);
        expect(Math.sign(compareVersions(a.join("."), b.join(".")))).toBe(expected);
      }),
    );
    expect(compareVersions("2.9.1", "2.13.0")).toBeLessThan(0);
    expect(compareVersions("3.9", "3.10")).toBeLessThan(0);
  });
});
