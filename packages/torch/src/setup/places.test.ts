import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bareMachine, fakeLibtorch, temporaryFolder } from "../../test/setup/fake-libtorch.ts";
import { cacheFolder } from "../machine.ts";
import { LibtorchInvalidError } from "./errors.ts";
import { libtorchOfCache, libtorchOfEnvironment, libtorchOfSystem } from "./places.ts";

describe("libtorchOfEnvironment", () => {
  it("is undefined where nothing is set", () => {
    expect(libtorchOfEnvironment(bareMachine(temporaryFolder(), { env: { LIBTORCH: "" } }))).toBeUndefined();
  });

  it("takes LIBTORCH", () => {
    const folder = temporaryFolder();
    const root = fakeLibtorch(join(folder, "mine"), "2.4.0");
    const libtorch = libtorchOfEnvironment(bareMachine(folder, { env: { LIBTORCH: root } }));
    expect(libtorch).toMatchObject({
      root,
      version: "2.4.0",
      origin: "environment",
      libDir: join(root, "lib"),
    });
    expect(libtorch?.includeDirs).toEqual([
      join(root, "include"),
      join(root, "include/torch/csrc/api/include"),
    ]);
  });

  it.each([
    ["", ""],
    ["include", "lib"],
  ])("takes LIBTORCH_INCLUDE and LIBTORCH_LIB (%s, %s)", (include, lib) => {
    const folder = temporaryFolder();
    const root = fakeLibtorch(join(folder, "mine"), "2.4.0");
    const env = { LIBTORCH_INCLUDE: join(root, include), LIBTORCH_LIB: join(root, lib) };
    expect(libtorchOfEnvironment(bareMachine(folder, { env }))).toMatchObject({ version: "2.4.0", root });
  });

  it("refuses half of the pair, and a folder that is none", () => {
    const folder = temporaryFolder();
    expect(() => libtorchOfEnvironment(bareMachine(folder, { env: { LIBTORCH_LIB: "/x" } }))).toThrow(
      "LIBTORCH_LIB is set, but neither LIBTORCH_INCLUDE nor LIBTORCH",
    );
    expect(() => libtorchOfEnvironment(bareMachine(folder, { env: { LIBTORCH: folder } }))).toThrow(
      LibtorchInvalidError,
    );
  });
});

describe("libtorchOfCache", () => {
  it("takes the newest that is whole", () => {
    const folder = temporaryFolder();
    const machine = bareMachine(folder, { env: { PROMPTLOSS_CACHE: join(folder, "cache") } });
    expect(libtorchOfCache(machine)).toBeUndefined();
    const cache = join(folder, "cache/libtorch");
    // By name 2.10.0 comes first and 2.9.0 last.
    fakeLibtorch(join(cache, "2.10.0/torch"), "2.10.0");
    fakeLibtorch(join(cache, "2.9.0/torch"), "2.9.0");
    fakeLibtorch(join(cache, "2.13.0/libtorch"), "2.13.0");
    fakeLibtorch(join(cache, ".fetch-1-x/torch"), "2.14.0");
    rmSync(join(fakeLibtorch(join(cache, "2.14.0"), "2.14.0"), "lib"), { recursive: true });
    const root = join(cache, "2.13.0/libtorch");
    expect(libtorchOfCache(machine)).toMatchObject({ version: "2.13.0", origin: "cache", root });
  });

  it("lies where the platform keeps caches", () => {
    const at = (platform: NodeJS.Platform, env = {}): string =>
      cacheFolder(bareMachine("/t", { platform, env }));
    expect(at("linux")).toBe("/t/home/.cache/promptloss");
    expect(at("linux", { XDG_CACHE_HOME: "/c" })).toBe("/c/promptloss");
    expect(at("darwin")).toBe("/t/home/Library/Caches/promptloss");
    expect(at("darwin", { PROMPTLOSS_CACHE: "/d" })).toBe("/d");
  });
});

describe("libtorchOfSystem", () => {
  it("knows Debian's library folder and prefers the newer prefix", () => {
    const folder = temporaryFolder();
    const systemRoots = [join(folder, "usr"), join(folder, "brew")];
    const machine = bareMachine(folder, { systemRoots });
    expect(libtorchOfSystem(machine)).toBeUndefined();
    const lib = "lib/x86_64-linux-gnu";
    fakeLibtorch(join(folder, "usr"), "1.13.0", { lib });
    expect(libtorchOfSystem(machine)).toMatchObject({ version: "1.13.0", libDir: join(folder, "usr", lib) });
    fakeLibtorch(join(folder, "brew"), "2.6.0");
    expect(libtorchOfSystem(machine)).toMatchObject({ version: "2.6.0", origin: "system" });
  });
});
