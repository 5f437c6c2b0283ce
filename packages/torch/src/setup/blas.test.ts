import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder, write } from "../../test/setup/fake-libtorch.ts";
import { usesReferenceBlas } from "./blas.ts";

it.each([
  ["blas/libblas.so.3.11.0", true],
  ["openblas-pthread/libblas.so.3", false],
  ["atlas/libblas.so.3.10.3", false],
])("tells the reference BLAS from others by where Debian's alternative leads: %s", (target, expected) => {
  const folder = temporaryFolder();
  const lib = join(folder, "usr/lib/x86_64-linux-gnu");
  mkdirSync(join(folder, "etc/alternatives"), { recursive: true });
  const file = write(join(lib, target));
  const alternative = join(folder, "etc/alternatives/libblas.so.3");
  symlinkSync(file, alternative);
  symlinkSync(alternative, join(lib, "libblas.so.3"));
  expect(usesReferenceBlas(lib)).toBe(expected);
});

it("a libtorch with a BLAS of its own has none", () => {
  expect(usesReferenceBlas(temporaryFolder())).toBe(false);
});
