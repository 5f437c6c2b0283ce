import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder, write } from "../../test/setup/fake-libtorch.ts";
import { zipOf } from "../../test/setup/zip.ts";
import { unpackWheel } from "./unpack-wheel.ts";

function wheel(entries: Record<string, string>): { file: string; site: string } {
  const folder = temporaryFolder();
  const file = write(join(folder, "torch.whl"), zipOf(entries));
  return { file, site: join(folder, "site") };
}

it("takes libraries, headers and licenses, and nothing of Python", async () => {
  const { file, site } = wheel({
    "torch/lib/libtorch.so": "library",
    "torch/lib/libtorch_python.so": "of Python",
    "torch/include/torch/version.h": "header",
    "torch/nn/module.py": "of Python",
    "torch.libs/libgomp.so.1": "library",
    "torch-2.13.0+cpu.dist-info/licenses/LICENSE": "license",
    "torchgen/x.py": "of Python",
  });
  await unpackWheel(file, site);
  const files = readdirSync(site, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  expect(files.map((entry) => join(entry.parentPath, entry.name).slice(site.length + 1)).sort()).toEqual([
    "torch-2.13.0+cpu.dist-info/licenses/LICENSE",
    "torch.libs/libgomp.so.1",
    "torch/include/torch/version.h",
    "torch/lib/libtorch.so",
  ]);
  expect(readFileSync(join(site, "torch/include/torch/version.h"), "utf8")).toBe("header");
});

it("refuses names that lead out of the folder", async () => {
  const { file, site } = wheel({ "torch/lib/../../../../escaped.so": "bad" });
  await expect(unpackWheel(file, site)).rejects.toThrow("invalid relative path");
});
