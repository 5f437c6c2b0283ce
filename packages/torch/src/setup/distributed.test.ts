import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bareMachine, fakeLibtorch, temporaryFolder, write } from "../../test/setup/fake-libtorch.ts";
import { factsFor, writeBuild } from "./build-record.ts";
import { findCompiler } from "./compiler.ts";
import { buildDistributed } from "./distributed.ts";
import { describeLibtorch, sharedLibraryExtension } from "./libtorch.ts";

const { platform, arch } = process;

/** Sources, a real compiler, and a libtorch of empty libraries. */
async function place({ groups = true, cuda = false } = {}) {
  const folder = temporaryFolder();
  const root = join(folder, "libtorch");
  const extraLibraries = cuda ? ["libtorch_cuda", "libc10_cuda"] : [];
  fakeLibtorch(root, "2.13.0", { linkable: true, platform, extraLibraries });
  const include = join(root, "include");
  if (groups) write(join(include, "torch/csrc/distributed/c10d/ProcessGroupGloo.hpp"));
  const libtorch = describeLibtorch({ root, include, lib: join(root, "lib") }, "environment", platform);
  const machine = bareMachine(folder, {
    platform,
    arch,
    env: { ...process.env, PROMPTLOSS_CACHE: join(folder, "cache") },
  });
  const compiler = await findCompiler(machine);
  const native = join(folder, "native");
  const source = (text: string): string => write(join(folder, "native/distributed/distributed.cpp"), text);
  /** Each clone has a build folder of its own. */
  const build = async ({ clone = "build", prebuilt = "", compiles = true } = {}) => {
    const lines: string[] = [];
    const options = { nativeDir: native, outputDir: join(folder, clone) };
    const built = await buildDistributed(libtorch, machine, {
      ...options,
      compiler: compiles ? compiler : undefined,
      ...(prebuilt !== "" && { prebuilt }),
      log: (line) => lines.push(line),
    });
    return { built, said: lines.join("\n") };
  };
  return { folder, source, build, facts: () => factsFor(libtorch, machine, join(native, "distributed")) };
}

describe("process groups are left out", () => {
  test("where libtorch has none", async () => {
    const { source, build } = await place({ groups: false });
    source("int a() { return 1; }\n");
    const { built, said } = await build();
    expect(built.library).toBeUndefined();
    expect(said).toMatch(/^process groups are left out, all else works: libtorch 2\.13\.0 at .* has no c10d/);
  });

  test("where they do not compile, which is tried once for the same sources", async () => {
    const { source, build } = await place();
    source("#error no such libtorch\n");
    const first = await build();
    expect(first.built.library).toBeUndefined();
    expect(first.said).toMatch(
      /left out, all else works: .*distributed\.cpp does not build .*\n.*no such libtorch/,
    );
    const second = await build();
    expect(second.built).toEqual(first.built);
    expect(second.said).toMatch(
      /^process groups are left out, as before: .*does not build against this libtorch$/,
    );
    source("int a() { return 1; }\n");
    const third = await build();
    expect(third.built).toMatchObject({
      library: expect.stringContaining("promptloss_distributed"),
      backends: ["gloo"],
    });
  });
});

describe("NCCL", () => {
  const MISSING = /do without NCCL: nccl\.h.* not found; CUDA_HOME names a toolkit/;

  /** With CUDA's libraries, and with these headers beside it as pip has them. */
  async function withCuda(headers: readonly string[]) {
    const made = await place({ cuda: true });
    for (const header of headers) write(join(made.folder, "nvidia/cu13/include", header));
    return made;
  }

  test.skipIf(platform === "darwin")(
    "is left out where a header of its own is missing, Gloo stays",
    async () => {
      const { source, build } = await withCuda(["cuda_runtime.h"]);
      source("#ifdef USE_C10D_NCCL\n#error no\n#endif\nint a() { return 1; }\n");
      const { built, said } = await build();
      expect(said).toMatch(MISSING);
      expect(built.backends).toEqual(["gloo"]);
    },
  );

  test.skipIf(platform === "darwin")(
    "is built in where its headers are, and left out where they do not compile",
    async () => {
      const { source, build } = await withCuda([
        "nccl.h",
        "cuda_runtime.h",
        "crt/host_config.h",
        "cccl/nv/target",
      ]);
      source(
        "#ifndef USE_C10D_NCCL\n#error no\n#endif\n#include <nv/target>\n#include <nccl.h>\nint a() { return 1; }\n",
      );
      expect((await build()).built.backends).toEqual(["gloo", "nccl"]);
      source("#ifdef USE_C10D_NCCL\n#error too old\n#endif\nint a() { return 1; }\n");
      const { built, said } = await build();
      expect(said).toMatch(/without NCCL, whose headers do not compile: .*too old/);
      expect(built.backends).toEqual(["gloo"]);
    },
  );
});

describe("process groups are not built", () => {
  test("where another clone of the same sources has them", async () => {
    const { source, build } = await place();
    source("int a() { return 1; }\n");
    expect((await build({ clone: "first" })).said).toMatch(/compiling/);
    const {
      built: { library },
      said,
    } = await build({ clone: "second" });
    expect(said).toBe("");
    expect(existsSync(library!)).toBe(true);
    source("int b() { return 1; }\n");
    expect((await build({ clone: "third" })).said).toMatch(/compiling/);
  });

  test("where they come prebuilt from the same sources", async () => {
    const { folder, source, build, facts } = await place({ groups: false });
    source("#error is not compiled\n");
    const name = `libpromptloss_distributed${sharedLibraryExtension(platform)}`;
    write(join(folder, "made", name), "prebuilt");
    const prebuilt = join(folder, "prebuilt");
    writeBuild(join(folder, "made"), prebuilt, [name], { ...facts(), key: "k" });
    const {
      built: { library, backends },
      said,
    } = await build({ prebuilt, compiles: false });
    expect([said, backends]).toEqual(["", ["gloo"]]);
    expect(readFileSync(library!, "utf8")).toBe("prebuilt");
    source("#error others\n");
    expect((await build({ prebuilt, compiles: false })).built).not.toHaveProperty("library");
  });
});
