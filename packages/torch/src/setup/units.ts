// The native libraries and how each is compiled and linked, as data. Two units that all needs: `ops`, fused operators with
// no Node in it, which Python can load too, and `binding`, the Node-API addon. And `distributed`, process groups, which
// not every libtorch can have.
//
// libtorch's headers take 25 to 35 s of a processor to read, more than all that is ours takes to compile. So each unit has
// one translation unit that reads them, of which its other files are parts, and kernels, which read none, have one each.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, normalize, sep } from "node:path";
import { type Machine, variable } from "../machine.ts";
import { LIBTORCH_LINK } from "./build-record.ts";
import { type Libtorch, sharedLibraryExtension } from "./libtorch.ts";

export interface Unit {
  readonly name: "ops" | "binding" | "distributed";
  readonly sourceDir: string;
  /** The library's file name. */
  readonly output: string;
  /** Arguments of a source's compilation, without the source and the object. */
  readonly compile: (source: string) => readonly string[];
  /** Arguments of the link, after the objects. */
  readonly link: readonly string[];
}

export interface UnitOptions {
  /** The folder that has `ops/` and `binding/`. */
  readonly nativeDir: string;
  /** Arguments that switch on OpenMP in the compiler; empty where it has none. */
  readonly openmp: readonly string[];
}

/** The folder with Node-API's headers. The package carries no types. */
export const nodeApiHeaders: string = (
  createRequire(import.meta.url)("node-api-headers") as { include_dir: string }
).include_dir;

/** The version of Node-API that the addon asks for: what Node 20 and later have. */
const NAPI_VERSION = 9;

/** The file names of a build's two libraries. */
export function libraryNames(platform: NodeJS.Platform): { addon: string; ops: string } {
  return { addon: "promptloss_torch.node", ops: `libpromptloss_ops${sharedLibraryExtension(platform)}` };
}

/** Both units, compiled for `libtorch`. */
export function unitsFor(libtorch: Libtorch, machine: Machine, options: UnitOptions): Unit[] {
  const { nativeDir, openmp } = options;
  const names = libraryNames(machine.platform);
  const common = ["-DNDEBUG", "-fPIC", "-Wall", `-std=c++${libtorch.cxxStandard}`];
  const libtorchFlags = [
    `-D_GLIBCXX_USE_CXX11_ABI=${libtorch.cxx11Abi}`,
    ...libtorch.includeDirs.filter((dir) => !COMPILER_SEARCHES.has(dir)).flatMap((dir) => ["-isystem", dir]),
  ];
  const own = (name: string): string[] => variable(machine, name)?.split(/\s+/) ?? [];
  // What they do, they do in kernels and in libtorch: they need no more than the first level.
  const glue = ["-O1", ...common, ...openmp, ...libtorchFlags];
  const link = [...linkArguments(libtorch, machine, openmp), ...own("LDFLAGS")];
  const ops = join(nativeDir, "ops");
  const binding = join(nativeDir, "binding");
  return [
    {
      name: "ops",
      sourceDir: ops,
      output: names.ops,
      // Vector types are passed between inlined functions only, where no calling convention is involved.
      // Nobody reads errno, and a square root that may set it is no vector instruction.
      compile: (source) => [
        ...(isKernel(source) ? ["-O3", ...common] : glue),
        ...["-Wno-psabi", "-fno-math-errno"],
        ...own("CXXFLAGS"),
      ],
      link,
    },
    {
      name: "binding",
      sourceDir: binding,
      output: names.addon,
      compile: () => [
        ...glue,
        ...["-fvisibility=hidden", "-fvisibility-inlines-hidden"],
        ...[`-DNAPI_VERSION=${NAPI_VERSION}`, "-DNODE_GYP_MODULE_NAME=promptloss_torch"],
        ...["-isystem", nodeApiHeaders, `-I${binding}`],
        ...own("CXXFLAGS"),
      ],
      link: [...link, ...(machine.platform === "darwin" ? ["-undefined", "dynamic_lookup"] : [])],
    },
  ];
}

export interface DistributedUnitOptions extends UnitOptions {
  /** Folders with NCCL's and CUDA's headers; undefined for no NCCL. */
  readonly nccl: readonly string[] | undefined;
}

/** The file name of the library of process groups. */
export function distributedLibrary(platform: NodeJS.Platform): string {
  return `libpromptloss_distributed${sharedLibraryExtension(platform)}`;
}

/** The library of process groups, compiled for `libtorch`. */
export function distributedUnit(
  libtorch: Libtorch,
  machine: Machine,
  { nativeDir, openmp, nccl }: DistributedUnitOptions,
): Unit {
  const [ops] = unitsFor(libtorch, machine, { nativeDir, openmp });
  const sourceDir = join(nativeDir, "distributed");
  return {
    name: "distributed",
    sourceDir,
    output: distributedLibrary(machine.platform),
    compile: (source) => [
      // Before libtorch's: what its headers name of Gloo is declared here, whatever Gloo a system has beside it.
      ...["-isystem", join(sourceDir, "declarations"), "-DUSE_C10D_GLOO"],
      ...(nccl === undefined ? [] : ["-DUSE_C10D_NCCL", ...nccl.flatMap((dir) => ["-isystem", dir])]),
      ...ops!.compile(source),
    ],
    // A libtorch that lacks a symbol is found out now, and not by the process that loads the library.
    link: [...ops!.link, ...(machine.platform === "darwin" ? [] : ["-Wl,-z,defs"])],
  };
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
    return [
      "-dynamiclib",
      `-L${libDir}`,
      `-Wl,-rpath,@loader_path/${LIBTORCH_LINK}`,
      ...libraries,
      ...parallel,
    ];
  }
  return [
    "-shared",
    `-L${libDir}`,
    // DT_RPATH rather than DT_RUNPATH: the libtorch that the code was compiled against wins over LD_LIBRARY_PATH.
    `-Wl,--disable-new-dtags,-rpath,$ORIGIN/${LIBTORCH_LINK}`,
    "-Wl,--no-as-needed",
    ...libraries,
    ...parallel,
  ];
}

function isKernel(source: string): boolean {
  return source.split(sep)[0] === "kernels";
}

/**
 * The unit's translation units, relative to its folder, sorted; empty when the folder is missing. A source that another
 * one includes is a part of that.
 */
export function sourcesOf(unit: Pick<Unit, "sourceDir">): string[] {
  if (!existsSync(unit.sourceDir)) return [];
  const sources = readdirSync(unit.sourceDir, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".cpp"),
  );
  const parts = new Set(sources.flatMap((source) => sourcesIncludedBy(unit.sourceDir, source)));
  return sources.filter((source) => !parts.has(source)).sort();
}

function sourcesIncludedBy(folder: string, source: string): string[] {
  const text = readFileSync(join(folder, source), "utf8");
  const names = text.matchAll(/^#include "([^"]+\.cpp)"/gm);
  return Array.from(names, ([, name]) => normalize(join(dirname(source), name!)));
}
