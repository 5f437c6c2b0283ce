import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bareMachine, fakeLibtorch, temporaryFolder, write } from "../../test/setup/fake-libtorch.ts";
import { findCompiler } from "./compiler.ts";
import { buildDistributed } from "./distributed.ts";
import { describeLibtorch } from "./libtorch.ts";

const { platform, arch } = process;

/** Sources, a real compiler, and a libtorch of empty libraries. */
async function place({ groups = true } = {}) {
  const folder = temporaryFolder();
  const root = join(folder, "libtorch");
  fakeLibtorch(root, "2.13.0", { linkable: true, platform });
  const include = join(root, "include");
  if (groups) write(join(include, "torch/csrc/distributed/c10d/ProcessGroupGloo.hpp"));
  const libtorch = describeLibtorch({ root, include, lib: join(root, "lib") }, "environment", platform);
  const machine = bareMachine(folder, { platform, arch, env: process.env });
  const compiler = await findCompiler(machine);
  const source = (text: string): string => write(join(folder, "native/distributed/distributed.cpp"), text);
  const build = async () => {
    const lines: string[] = [];
    const options = { nativeDir: join(folder, "native"), outputDir: join(folder, "build") };
    const built = await buildDistributed(libtorch, machine, {
      ...options,
      compiler,
      log: (line) => lines.push(line),
    });
    return { built, said: lines.join("\n") };
  };
  return { source, build };
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
