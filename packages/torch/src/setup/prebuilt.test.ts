import { existsSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bareMachine, fakeLibtorch, temporaryFolder, write } from "../../test/setup/fake-libtorch.ts";
import { factsFor, writeBuild } from "./build-record.ts";
import { readCurrentBuild } from "./current-build.ts";
import { describeLibtorch, type Libtorch } from "./libtorch.ts";
import { findPrebuilt, type Prebuilt, takePrebuilt } from "./prebuilt.ts";

const LIBRARIES = ["promptloss_torch.node", "libpromptloss_ops.so"];

function libtorchAt(root: string, version: string): Libtorch {
  fakeLibtorch(root, version);
  const place = { root, include: join(root, "include"), lib: join(root, "lib") };
  return describeLibtorch(place, "cache", "linux");
}

/** A folder with a package for linux-x64 installed, built from `native` for libtorch 2.13.0. */
function installed() {
  const folder = temporaryFolder();
  const machine = bareMachine(folder);
  const native = join(folder, "native");
  write(join(native, "ops/a.cpp"), "int a();");
  const libtorch = libtorchAt(join(folder, "torch"), "2.13.0");
  const from = join(folder, "made");
  for (const name of LIBRARIES) write(join(from, name), name);
  const prebuiltFolder = join(folder, "node_modules/@promptloss/torch-linux-x64");
  writeBuild(from, prebuiltFolder, LIBRARIES, { ...factsFor(libtorch, machine, native), key: "k" });
  write(join(prebuiltFolder, "package.json"), '{ "name": "@promptloss/torch-linux-x64" }');
  const find = (): Prebuilt | undefined => findPrebuilt(machine, join(folder, "index.js"));
  return { folder, machine, native, libtorch, prebuiltFolder, find, outputDir: join(folder, "build") };
}

it("becomes the build in use beside a link to libtorch", () => {
  const { find, machine, native, libtorch, outputDir } = installed();
  const result = takePrebuilt(find()!, libtorch, machine, { nativeDir: native, outputDir });
  expect(readCurrentBuild(outputDir)).toEqual(result?.current);
  expect(readFileSync(result!.current.addon!, "utf8")).toBe("promptloss_torch.node");
  expect(readFileSync(result!.current.ops!, "utf8")).toBe("libpromptloss_ops.so");
  expect(readlinkSync(join(result!.folder, "libtorch"))).toBe(libtorch.libDir);
  // Again, and after something was lost.
  rmSync(result!.current.ops!);
  expect(takePrebuilt(find()!, libtorch, machine, { nativeDir: native, outputDir })).toEqual(result);
  expect(existsSync(result!.current.ops!)).toBe(true);
});

it("does not serve another libtorch, nor other sources", () => {
  const { find, folder, machine, native, libtorch, outputDir } = installed();
  const options = { nativeDir: native, outputDir };
  const other = libtorchAt(join(folder, "other"), "2.12.1");
  expect(takePrebuilt(find()!, other, machine, options)).toBeUndefined();
  expect(takePrebuilt(find()!, { ...libtorch, cuda: true }, machine, options)).toBeUndefined();
  write(join(native, "ops/a.cpp"), "int a(int);");
  expect(takePrebuilt(find()!, libtorch, machine, options)).toBeUndefined();
  expect(readCurrentBuild(outputDir)).toBeUndefined();
});

it("is none where no package is installed, or where it is damaged", () => {
  const { find, machine, prebuiltFolder } = installed();
  expect(findPrebuilt({ ...machine, arch: "arm64" }, join(prebuiltFolder, "x.js"))).toBeUndefined();
  write(join(prebuiltFolder, "libpromptloss_ops.so"), "damaged");
  expect(find()).toBeUndefined();
});
