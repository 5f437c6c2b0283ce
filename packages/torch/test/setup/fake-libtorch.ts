// Folders and programs that stand in for a libtorch, a Python and an apt in set-up's tests: real files and real
// processes, without the gigabyte.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { Machine } from "../../src/machine.ts";
import { sharedLibraryExtension } from "../../src/setup/libtorch.ts";

/** A folder that goes when the test ends. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "promptloss-")));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function write(path: string, text: string | Uint8Array = ""): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** Where a bare machine fetches wheels from: a folder that is not there, rather than the network. */
export function noMirror(folder: string): string {
  return join(folder, "no-mirror");
}

/** A Linux machine with nothing: its home and prefixes are inside `folder`, and no program is on its PATH. */
export function bareMachine(folder: string, changes: Partial<Machine> = {}): Machine {
  return {
    platform: "linux",
    arch: "x64",
    home: join(folder, "home"),
    isRoot: false,
    jobs: 2,
    systemRoots: [join(folder, "usr")],
    ...changes,
    env: { PATH: join(folder, "bin"), PROMPTLOSS_LIBTORCH_URL: noMirror(folder), ...changes.env },
  };
}

export interface FakeLibtorchOptions {
  readonly versionFile?: string;
  /** The library folder, relative to the root. */
  readonly lib?: string;
  /** The text of TorchConfig.cmake; no such file when left out. */
  readonly cmake?: string;
  readonly extraLibraries?: readonly string[];
  /** Whether the libraries are real ones, empty, so that something can be linked against them. */
  readonly linkable?: boolean;
  /** `linux` when left out. */
  readonly platform?: NodeJS.Platform;
}

/** Makes `root` look like a libtorch of this version. */
export function fakeLibtorch(root: string, version: string, options: FakeLibtorchOptions = {}): string {
  const { versionFile = "torch/csrc/api/include/torch/version.h", lib = "lib" } = options;
  const [major, minor, patch] = version.split(".");
  write(
    join(root, "include", versionFile),
    `#define TORCH_VERSION_MAJOR ${major}\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH ${patch}\n`,
  );
  for (const header of ["ATen/ATen.h", "torch/library.h"]) write(join(root, "include", header));
  const extension = sharedLibraryExtension(options.platform ?? "linux");
  for (const name of ["libtorch", "libtorch_cpu", "libc10", ...(options.extraLibraries ?? [])]) {
    const file = write(join(root, lib, name + extension));
    if (options.linkable) execFileSync("c++", ["-shared", "-fPIC", "-x", "c++", "/dev/null", "-o", file]);
  }
  if (options.cmake !== undefined) write(join(root, "share/cmake/Torch/TorchConfig.cmake"), options.cmake);
  return root;
}

/** A shell script that can be run by its name on the PATH of `bareMachine(folder)`. */
export function fakeProgram(folder: string, name: string, script: string): string {
  // The scripts use the shell's own commands and these few, whose folders a bare machine's PATH lacks.
  const file = write(join(folder, "bin", name), `#!/bin/sh\nPATH=/usr/bin:/bin\n${script}\n`);
  chmodSync(file, 0o755);
  return file;
}
