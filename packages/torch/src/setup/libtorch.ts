// What a folder with libtorch holds: version, headers, libraries, and how code must be compiled against it.
// Reads the files of the folder only; it neither searches for libtorch nor loads it.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { LibtorchInvalidError } from "./errors.ts";

/** Who provided a libtorch. */
export type LibtorchOrigin = "environment" | "python" | "cache" | "system";

export interface Libtorch {
  /** Such as `2.13.0`. */
  readonly version: string;
  readonly root: string;
  readonly origin: LibtorchOrigin;
  /** Header folders, for the compiler. */
  readonly includeDirs: readonly string[];
  readonly libDir: string;
  /** What `_GLIBCXX_USE_CXX11_ABI` must be defined to. */
  readonly cxx11Abi: 0 | 1;
  /** The C++ standard that its headers ask for, 17 at least. */
  readonly cxxStandard: 17 | 20;
  /** Whether it was built with CUDA. */
  readonly cuda: boolean;
  /** Whether it was built with Metal. */
  readonly mps: boolean;
  /** The OpenMP runtime in `libDir`, a file name; undefined where it uses the system's. */
  readonly openmp: string | undefined;
}

/** Where the parts of one libtorch lie. */
export interface LibtorchPlace {
  readonly root: string;
  readonly include: string;
  readonly lib: string;
}

/** The oldest version that the native code compiles against. */
export const OLDEST_VERSION = "1.13.0";

const VERSION_FILES = [
  "torch/headeronly/version.h",
  "torch/csrc/api/include/torch/version.h",
  "torch/version.h",
];

/** The ending of shared libraries, such as `.so`. */
export function sharedLibraryExtension(platform: NodeJS.Platform): ".so" | ".dylib" {
  return platform === "darwin" ? ".dylib" : ".so";
}

/** Less than 0 where `a` is the older version, more where it is the newer, 0 where they are equal. */
export function compareVersions(a: string, b: string): number {
  const left = a.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const right = b.split(".").map((part) => Number.parseInt(part, 10) || 0);
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Reads the facts of the libtorch at `place`.
 *
 * @throws {LibtorchInvalidError} when files are missing or the version is below 1.13.
 */
export function describeLibtorch(
  place: LibtorchPlace,
  origin: LibtorchOrigin,
  platform: NodeJS.Platform,
): Libtorch {
  const { root, include, lib } = place;
  const extension = sharedLibraryExtension(platform);
  const version = readVersion(include);
  const wanted: [name: string, there: boolean][] = [
    ["include/torch/version.h", version !== undefined],
    ["include/ATen/ATen.h", existsSync(join(include, "ATen/ATen.h"))],
    ["include/torch/library.h", existsSync(join(include, "torch/library.h"))],
    ...["libtorch", "libtorch_cpu", "libc10"].map((name): [string, boolean] => [
      `lib/${name}${extension}`,
      existsSync(join(lib, name + extension)),
    ]),
  ];
  const missing = wanted.filter(([, there]) => !there).map(([name]) => name);
  if (version === undefined || missing.length > 0) {
    throw new LibtorchInvalidError(
      `${root} is no libtorch: it has no ${missing.join(", no ")}`,
      root,
      missing,
      {
        hint: "a libtorch has the folders include/ and lib/ directly in it",
      },
    );
  }
  if (compareVersions(version, OLDEST_VERSION) < 0) {
    throw new LibtorchInvalidError(
      `libtorch ${version} at ${root} is too old: 1.13 is the oldest that works`,
      root,
      [],
    );
  }
  const cmake = readTorchConfig(root, lib);
  const has = (name: string): boolean => existsSync(join(lib, name + extension));
  return {
    version,
    root,
    origin,
    includeDirs: [include, join(include, "torch/csrc/api/include")].filter(existsSync),
    libDir: lib,
    cxx11Abi: /_GLIBCXX_USE_CXX11_ABI=0/.test(cmake) ? 0 : 1,
    cxxStandard: cxxStandard(cmake, version),
    cuda: has("libtorch_cuda") && has("libc10_cuda"),
    mps: platform === "darwin" && existsSync(join(include, "ATen/mps")),
    openmp: readdirSync(lib).find((name) => /^lib(gomp|omp|iomp5)\b.*\.(so|dylib)/.test(name)),
  };
}

function readVersion(include: string): string | undefined {
  for (const file of VERSION_FILES) {
    const path = join(include, file);
    if (!existsSync(path)) continue;
    const text = readFileSync(path, "utf8");
    const [major, minor, patch] = ["MAJOR", "MINOR", "PATCH"].map(
      (part) => new RegExp(`^#define TORCH_VERSION_${part} (\\d+)`, "m").exec(text)?.[1],
    );
    if (major !== undefined && minor !== undefined) return `${major}.${minor}.${patch ?? "0"}`;
  }
  return undefined;
}

function readTorchConfig(root: string, lib: string): string {
  const files = [join(root, "share/cmake/Torch"), join(lib, "cmake/Torch")].map((d) =>
    join(d, "TorchConfig.cmake"),
  );
  const file = files.find(existsSync);
  return file === undefined ? "" : readFileSync(file, "utf8");
}

// TorchConfig.cmake states the standard that libtorch was built with; its headers need no less. Where the file
// is missing: releases from 2.12 on refuse to be included by C++17.
function cxxStandard(cmake: string, version: string): 17 | 20 {
  const stated = /\bCXX_STANDARD (\d+)/.exec(cmake)?.[1];
  if (stated !== undefined) return Number(stated) >= 20 ? 20 : 17;
  return compareVersions(version, "2.12.0") >= 0 ? 20 : 17;
}

/** One calm line: which libtorch, and where it came from. */
export function libtorchLine(libtorch: Pick<Libtorch, "version" | "origin" | "root">): string {
  const from = {
    environment: "from LIBTORCH",
    python: "from Python's torch",
    cache: "from the user's cache",
    system: "from the system",
  }[libtorch.origin];
  return `libtorch ${libtorch.version} ${from}: ${libtorch.root}`;
}
