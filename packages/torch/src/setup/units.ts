// The native libraries and how each is compiled and linked, as data. Two units: `ops`, fused operators with no
// Node in it, which Python can load too, and `binding`, the Node-API addon.
import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Libtorch, sharedLibraryExtension } from "./libtorch.ts";
import { type Machine, variable } from "./machine.ts";

export interface Unit {
  readonly name: "ops" | "binding";
  readonly sourceDir: string;
  /** The library's file name. */
  readonly output: string;
  /** Arguments of each compilation, without the source and the object. */
  readonly compile: readonly string[];
  /** Arguments of the link, after the objects. */
  readonly link: readonly string[];
}

export interface UnitOptions {
  /** The folder that has `ops/` and `binding/`. */
  readonly nativeDir: string;
  /** Arguments that switch on OpenMP in the compiler; empty where it has none. */
  readonly openmp: readonly string[];
}

// The package carries no types.
const { include_dir: nodeApiHeaders } = createRequire(import.meta.url)("node-api-headers") as {
  include_dir: string;
};

/** The version of Node-API that the addon asks for: what Node 20 and later have. */
const NAPI_VERSION = 9;

/** Both units, compiled for `libtorch`. */
export function unitsFor(libtorch: Libtorch, machine: Machine, options: UnitOptions): Unit[] {
  const { nativeDir, openmp } = options;
  const extension = sharedLibraryExtension(machine.platform);
  const common = ["-O3", "-DNDEBUG", "-fPIC", "-Wall", `-std=c++${libtorch.cxxStandard}`];
  const libtorchFlags = [
    `-D_GLIBCXX_USE_CXX11_ABI=${libtorch.cxx11Abi}`,
    ...libtorch.includeDirs.filter((dir) => !COMPILER_SEARCHES.has(dir)).flatMap((dir) => ["-isystem", dir]),
  ];
  const own = (name: string): string[] => variable(machine, name)?.split(/\s+/) ?? [];
  const compile = [...common, ...openmp, ...libtorchFlags];
  const link = [...linkArguments(libtorch, machine, openmp), ...own("LDFLAGS")];
  const ops = join(nativeDir, "ops");
  const binding = join(nativeDir, "binding");
  return [
    {
      name: "ops",
      sourceDir: ops,
      output: `libpromptloss_ops${extension}`,
      // Vector types are passed between inlined functions only, where no calling convention is involved.
      // Nobody reads errno, and a square root that may set it is no vector instruction.
      compile: [...compile, "-Wno-psabi", "-fno-math-errno", `-I${ops}`, ...own("CXXFLAGS")],
      link,
    },
    {
      name: "binding",
      sourceDir: binding,
      output: "promptloss_torch.node",
      compile: [
        ...compile,
        ...["-fvisibility=hidden", "-fvisibility-inlines-hidden"],
        ...[`-DNAPI_VERSION=${NAPI_VERSION}`, "-DNODE_GYP_MODULE_NAME=promptloss_torch"],
        ...["-isystem", nodeApiHeaders, `-I${binding}`],
        ...own("CXXFLAGS"),
      ],
      link: [...link, ...(machine.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [])],
    },
  ];
}

// Compilers search these by themselves; naming them as system folders would reorder the search and break <cstdlib>.
const COMPILER_SEARCHES = new Set(["/usr/include", "/usr/local/include"]);

function linkArguments(libtorch: Libtorch, machine: Machine, openmp: readonly string[]): string[] {
  const { libDir, cuda } = libtorch;
  const libraries = ["-ltorch", "-ltorch_cpu", "-lc10", ...(cuda ? ["-ltorch_cuda", "-lc10_cuda"] : [])];
  // One OpenMP runtime for the process: libtorch's own where it brings one, the compiler's otherwise.
  const runtime = libtorch.openmp === undefined ? openmp : [join(libDir, libtorch.openmp)];
  const parallel = openmp.length === 0 ? [] : runtime;
  if (machine.platform === "darwin") {
    return ["-dynamiclib", `-L${libDir}`, `-Wl,-rpath,${libDir}`, ...libraries, ...parallel];
  }
  return [
    "-shared",
    `-L${libDir}`,
    // DT_RPATH rather than DT_RUNPATH: the libtorch that the code was compiled against wins over LD_LIBRARY_PATH.
    `-Wl,--disable-new-dtags,-rpath,${libDir}`,
    "-Wl,--no-as-needed",
    ...libraries,
    ...parallel,
  ];
}

/** The unit's sources, relative to its folder, sorted; empty when the folder is missing. */
export function sourcesOf(unit: Unit): string[] {
  if (!existsSync(unit.sourceDir)) return [];
  return readdirSync(unit.sourceDir, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".cpp"))
    .sort();
}
