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
async function place({ groups = true } = {}) {
  const folder = temporaryFolder();
  const root = join(folder, "libtorch");
  fakeLibtorch(root, "2.13.0", { linkable: true, platform });
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
