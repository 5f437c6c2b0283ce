// Set-up for programs: find or fetch libtorch, build the native code, and say what is in use.

export { cacheFolder, type Machine, thisMachine } from "../machine.ts";
export { usesReferenceBlas } from "./blas.ts";
export { type BuildOptions, type BuildResult, buildNative } from "./build.ts";
export { type Compiler, findCompiler } from "./compiler.ts";
export { buildFolder, type CurrentBuild, readCurrentBuild, setupCommand } from "./current-build.ts";
export { buildDistributed, type DistributedBuild, readDistributedBuild } from "./distributed.ts";
export { ensureSetUp, type LoadableBuild } from "./ensure.ts";
export {
  BuildError,
  CompilerNotFoundError,
  LibtorchInvalidError,
  LibtorchNotFoundError,
  PythonTorchNotFoundError,
  SetupError,
} from "./errors.ts";
export { DEBIAN_BLAS } from "./fetch-debian.ts";
export {
  compareVersions,
  describeLibtorch,
  type Libtorch,
  type LibtorchOrigin,
  libtorchLine,
} from "./libtorch.ts";
export { type PackedPrebuilt, packPrebuilt, prebuiltPackage } from "./prebuilt.ts";
export { findLibtorch, type Provided, type ProvideOptions, provideLibtorch } from "./provide.ts";
export { type SetUpOptions, type SetUpResult, setUp } from "./set-up.ts";
export { FETCHED_VERSION, WHEEL_PLATFORMS } from "./wheel.ts";
