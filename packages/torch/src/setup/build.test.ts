import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { bareMachine, fakeLibtorch, temporaryFolder, write } from "../../test/setup/fake-libtorch.ts";
import type { Machine } from "../machine.ts";
import { type BuildResult, buildNative } from "./build.ts";
import { readCurrentBuild } from "./current-build.ts";
import { BuildError } from "./errors.ts";
import { describeLibtorch, type Libtorch } from "./libtorch.ts";

// Real sources, a real compiler, and a libtorch of empty libraries.
let folder: string;
let native: string;
let output: string;
let libtorch: Libtorch;

const { platform, arch } = process;

function libtorchAt(root: string, version = "2.13.0"): Libtorch {
  fakeLibtorch(root, version, { linkable: true, platform });
  return describeLibtorch(
    { root, include: join(root, "include"), lib: join(root, "lib") },
    "environment",
    platform,
  );
}

function environment(): Machine["env"] {
  return { ...process.env, PROMPTLOSS_CACHE: join(folder, "cache") };
}

function build(changes: { env?: Machine["env"]; libtorch?: Libtorch; log?: (line: string) => void } = {}) {
  const machine = bareMachine(folder, { platform, arch, env: { ...environment(), ...changes.env } });
  const { log = () => {} } = changes;
  return buildNative(changes.libtorch ?? libtorch, machine, { nativeDir: native, outputDir: output, log });
}

/** Modification times of everything in a build's folder, by name. */
function times(build: BuildResult): Record<string, number> {
  const names = readdirSync(build.folder, { recursive: true, encoding: "utf8" });
  const files = names.filter((name) => /\.(o|so|dylib|node)$/.test(name));
  return Object.fromEntries(files.map((name) => [name, statSync(join(build.folder, name)).mtimeMs]));
}

/** The files that a second build made anew. */
function rebuilt(before: Record<string, number>, after: Record<string, number>): string[] {
  return Object.keys(after).filter((name) => after[name] !== before[name]);
}

beforeEach(() => {
  folder = temporaryFolder();
  native = join(folder, "native");
  output = join(folder, "build");
  libtorch = libtorchAt(join(folder, "lib torch"));
  write(join(native, "ops/shared.h"), "int shared();\n");
  write(join(native, "ops/a.cpp"), '#include "shared.h"\nint a() { return shared(); }\n');
  write(join(native, "ops/cpu/b.cpp"), "int shared() { return 1; }\n");
  write(
    join(native, "binding/addon.cpp"),
    `#include <node_api.h>
NAPI_MODULE_INIT() {
  napi_value answer;
  napi_create_int32(env, NAPI_VERSION, &answer);
  napi_set_named_property(env, exports, "napi", answer);
  return exports;
}
`,
  );
});

describe("buildNative", () => {
  it("builds an addon that Node loads and a library, and records them", async () => {
    const { current, compiled, linked, folder: place } = await build();
    expect(compiled).toEqual(["ops/a.cpp", "ops/cpu/b.cpp", "binding/addon.cpp"]);
    expect(linked.map((name) => name.replace(/\.dylib$/, ".so"))).toEqual([
      "ops/libpromptloss_ops.so",
      "binding/promptloss_torch.node",
    ]);
    expect(basename(place)).toMatch(/^2\.13\.0-[0-9a-f]{10}$/);
    expect(readCurrentBuild(output)).toEqual(current);
    expect(current).toMatchObject({
      addon: join(place, "promptloss_torch.node"),
      libtorch: {
        root: libtorch.root,
        lib: libtorch.libDir,
        version: "2.13.0",
        origin: "environment",
        cuda: false,
      },
      headers: libtorch.includeDirs,
    });
    const loaded = { exports: {} as { napi?: number } };
    process.dlopen(loaded, current.addon!);
    expect(loaded.exports.napi).toBe(9);
  });

  it("builds nothing again when nothing changed, nor when only a time did", async () => {
    const before = times(await build());
    const now = new Date();
    utimesSync(join(native, "ops/a.cpp"), now, now);
    const again = await build();
    expect([again.compiled, again.linked]).toEqual([[], []]);
    expect(rebuilt(before, times(again))).toEqual([]);
  });

  it("rebuilds the object of a changed source and links its library alone", async () => {
    const before = times(await build());
    write(join(native, "ops/cpu/b.cpp"), "int shared() { return 2; }\n");
    const again = await build();
    expect(again.compiled).toEqual(["ops/cpu/b.cpp"]);
    const changed = rebuilt(before, times(again));
    expect(changed.map((name) => name.replace(/\.dylib$/, ".so")).sort()).toEqual([
      "libpromptloss_ops.so",
      "ops/cpu__b.cpp.o",
    ]);
  });

  it("rebuilds the objects that include a changed header", async () => {
    await build();
    write(join(native, "ops/shared.h"), "int shared(); // changed\n");
    expect((await build()).compiled).toEqual(["ops/a.cpp"]);
  });

  it("compiles a new source, and drops the object of one that is gone", async () => {
    await build();
    write(join(native, "ops/c.cpp"), "int c() { return 3; }\n");
    rmSync(join(native, "ops/a.cpp"));
    const again = await build();
    expect(again.compiled).toEqual(["ops/c.cpp"]);
    expect(readdirSync(join(again.folder, "ops")).filter((name) => name.endsWith(".o"))).toEqual([
      "c.cpp.o",
      "cpu__b.cpp.o",
    ]);
  });

  it("compiles no source that another includes, and that one again when its part changes", async () => {
    write(join(native, "ops/parts/part.cpp"), "int part() { return 1; }\n");
    write(join(native, "ops/whole.cpp"), '#include "parts/part.cpp"\nint whole() { return part(); }\n');
    expect((await build()).compiled).toContain("ops/whole.cpp");
    write(join(native, "ops/parts/part.cpp"), "int part() { return 2; }\n");
    expect((await build()).compiled).toEqual(["ops/whole.cpp"]);
  });

  it("gives kernels no header of libtorch", async () => {
    // A name of its own: Debian's libtorch lies where compilers look by themselves.
    write(join(libtorch.root, "include/ATen/OnlyHere.h"), "#define ONLY_HERE 1\n");
    write(join(native, "ops/kernels/kernel.cpp"), "#include <ATen/OnlyHere.h>\nint kernel;\n");
    await expect(build()).rejects.toThrow(/could not build kernels.kernel.cpp.*ATen.OnlyHere\.h/s);
    rmSync(join(native, "ops/kernels/kernel.cpp"));
    write(join(native, "ops/whole.cpp"), "#include <ATen/OnlyHere.h>\nint whole() { return ONLY_HERE; }\n");
    expect((await build()).compiled).toContain("ops/whole.cpp");
  });

  it("takes what another clone of the same sources has built, and builds after a change", async () => {
    const first = await build();
    const elsewhere = join(folder, "clone/native");
    cpSync(native, elsewhere, { recursive: true });
    const clone = () =>
      buildNative(libtorch, bareMachine(folder, { platform, arch, env: environment() }), {
        nativeDir: elsewhere,
        outputDir: join(folder, "clone/build"),
      });
    const taken = await clone();
    expect([taken.compiled, taken.linked]).toEqual([[], []]);
    expect(taken.current.addon).not.toBe(first.current.addon);
    expect(readFileSync(taken.current.addon!)).toEqual(readFileSync(first.current.addon!));
    expect((await clone()).compiled).toEqual([]);
    write(join(elsewhere, "ops/shared.h"), "int shared(); // changed\n");
    expect((await clone()).compiled).toHaveLength(3);
  });

  it("does not take a cached build that is damaged", async () => {
    const first = await build();
    const cache = join(folder, "cache/native");
    const name = readdirSync(cache)[0]!;
    write(join(cache, name, basename(first.current.addon!)), "half a libr");
    rmSync(output, { recursive: true });
    expect((await build()).compiled).toHaveLength(3);
  });

  it("takes an object for none when a killed build left it without its stamp, or lost it", async () => {
    const { folder: place } = await build();
    write(join(place, "ops/a.cpp.o"), "half an obj");
    rmSync(join(place, "ops/a.cpp.o.stamp.json"));
    const [left, running] = [1, 2].map((n) => join(place, `ops/.a.cpp.o.${"0".repeat(11)}${n}.draft`));
    for (const draft of [left!, running!]) write(draft, "half an obj");
    utimesSync(left!, 1, 1);
    rmSync(join(place, "binding/addon.cpp.o"));
    const again = await build();
    expect(again.compiled).toEqual(["ops/a.cpp", "binding/addon.cpp"]);
    expect([left!, running!].map(existsSync)).toEqual([false, true]);
  });

  it("keeps builds for two libtorchs side by side and switches without building", async () => {
    const other = libtorchAt(join(folder, "other"), "1.13.0");
    const first = await build();
    const second = await build({ libtorch: other });
    expect(second.compiled).toHaveLength(3);
    expect(readCurrentBuild(output)?.libtorch.version).toBe("1.13.0");
    const back = await build();
    expect([back.compiled, back.linked]).toEqual([[], []]);
    expect(readCurrentBuild(output)).toEqual(first.current);
  });

  it("rebuilds for other flags and for a libtorch that was replaced in place", async () => {
    await build();
    expect((await build({ env: { CXXFLAGS: "-DX=1" } })).compiled).toHaveLength(3);
    const replaced = libtorchAt(libtorch.root, "2.13.0");
    expect((await build({ libtorch: replaced })).compiled).toHaveLength(3);
  });

  it("skips a unit without sources with a line", async () => {
    rmSync(join(native, "ops"), { recursive: true });
    const lines: string[] = [];
    const { current } = await build({ log: (line) => lines.push(line) });
    expect(Object.keys(current)).toEqual(["addon", "libtorch", "headers"]);
    expect(lines.at(-1)).toMatch(/^ops: no \.cpp file in .*native.ops, nothing to build$/);
  });

  it("shows the compiler's words and the command, keeps what compiled, and leaves current.json alone", async () => {
    const { current } = await build();
    write(join(native, "ops/a.cpp"), "int a( { return 1; }\n");
    write(join(native, "ops/cpu/b.cpp"), "int shared() { return 4; }\n");
    const error = await build().catch((error: unknown) => error);
    expect(error).toBeInstanceOf(BuildError);
    const { message, file, hint } = error as BuildError;
    expect(file).toBe("a.cpp");
    expect(message).toMatch(/^could not build a\.cpp\n\n.*a\.cpp:1:.*error/s);
    expect(message).toMatch(/\ncommand: .*a\.cpp -o /);
    expect(hint).toBeDefined();
    expect(readCurrentBuild(output)).toEqual(current);
    write(join(native, "ops/a.cpp"), "int a() { return 5; }\n");
    expect((await build()).compiled).toContain("ops/a.cpp");
  });

  it("says what a linker lacks", async () => {
    await expect(build({ libtorch: { ...libtorch, cuda: true } })).rejects.toMatchObject({
      hint: expect.stringMatching(/lacks a symbol or a library/),
    });
  });

  it("lets two builds run at the same time", async () => {
    const [one, two] = await Promise.all([build(), build()]);
    expect(one.current).toEqual(two.current);
    expect((await build()).compiled).toEqual([]);
    expect(readFileSync(one.current.addon!).length).toBeGreaterThan(1000);
  });
});
