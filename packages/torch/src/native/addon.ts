// Loads the native addon that set-up built, and says what it offers.

import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { NotBuiltError } from "../errors.ts";
import { ensureSetUp, type LoadableBuild } from "../setup/ensure.ts";
import { errorFromNative } from "./error-from-native.ts";

/** A live tensor as the addon names it: slot and generation. 0n is never one. */
export type Handle = bigint;

/** What an argument of an operator may be, once tensors are handles. */
export type NativeValue = unknown;

export interface OperatorInfo {
  readonly index: number;
  readonly name: string;
  readonly schema: string;
  readonly arguments: readonly {
    readonly name: string;
    readonly type: string;
    readonly required: boolean;
    readonly keywordOnly: boolean;
  }[];
}

export interface Addon {
  version(): string;
  setErrorFactory(factory: typeof errorFromNative): void;
  loadLibrary(path: string): void;
  startProfile(): void;
  /** Of each event: the name's place, thread, start and duration in microseconds. */
  stopProfile(): { names: string[]; events: Float64Array; dropped: number };
  getThreads(): number;
  setThreads(count: number): void;
  /** Settings of the whole process, which stay. */
  tuneProcess(): void;
  /** Begins, or ends once, that the heap keeps pieces of any size that are freed. */
  reuseMemory(begin: boolean): void;
  /** Begins, or ends once, that larger pieces go back to the system when they are freed. */
  returnMemory(begin: boolean): void;
  manualSeed(seed: bigint): void;
  getRngState(device: string): Handle;
  setRngState(device: string, state: Handle): void;
  devices(): { cuda: number; mps: boolean };
  synchronize(device: string): void;

  resolve(name: string, overload: string): OperatorInfo;
  overloads(name: string): string[];
  call(operator: number, ...args: NativeValue[]): NativeValue;
  run(operator: number, ...args: NativeValue[]): void;

  free(tensor: Handle): boolean;
  /** Says that the tensor is to go with `object`, when V8 collects that: V8 is told how much memory there is. */
  setCollectable(tensor: Handle, object: object): void;
  memory(): { tensors: number; bytes: number; collectable: number };
  shape(tensor: Handle): number[];
  strides(tensor: Handle): number[];
  dtype(tensor: Handle): string;
  layout(tensor: Handle): string;
  device(tensor: Handle): string;
  numel(tensor: Handle): number;
  dim(tensor: Handle): number;
  storageOffset(tensor: Handle): number;
  isContiguous(tensor: Handle): boolean;
  sharesStorage(tensor: Handle, other: Handle): boolean;
  item(tensor: Handle): NativeValue;
  fromBuffer(
    buffer: ArrayBufferLike,
    byteOffset: number,
    shape: readonly number[],
    dtype: string,
    share: boolean,
  ): Handle;
  toBuffer(tensor: Handle): ArrayBuffer;
  viewBuffer(tensor: Handle): ArrayBuffer;

  requiresGrad(tensor: Handle): boolean;
  setRequiresGrad(tensor: Handle, value: boolean): void;
  isLeaf(tensor: Handle): boolean;
  gradFn(tensor: Handle): string | null;
  grad(tensor: Handle): Handle | null;
  setGrad(tensor: Handle, grad: Handle | null): void;
  backward(
    tensors: readonly Handle[],
    gradients: readonly (Handle | null)[] | null,
    retainGraph: boolean,
    createGraph: boolean,
    inputs: readonly Handle[] | null,
  ): void;
  gradientsOf(
    outputs: readonly Handle[],
    inputs: readonly Handle[],
    gradients: readonly (Handle | null)[] | null,
    retainGraph: boolean,
    createGraph: boolean,
    allowUnused: boolean,
  ): (Handle | null)[];
  gradEnabled(): boolean;
  setGradEnabled(enabled: boolean): boolean;
  enterAutocast(device: string, dtype: string | null): [boolean, number];
  exitAutocast(device: string, state: [boolean, number]): void;
  applyFunction(
    inputs: readonly Handle[],
    forward: (inputs: Handle[]) => { outputs: Handle[]; saved: Handle[] },
    backward: (gradients: (Handle | null)[], saved: Handle[]) => (Handle | null)[],
    /** Called after each of the two, once the addon holds the tensors that it was given. */
    finish: () => void,
  ): Handle[];
}

let build: LoadableBuild | undefined;

/** The build in use: which libtorch, from where. @throws {NotBuiltError} */
export function currentBuild(): LoadableBuild {
  build ??= ensureSetUp();
  return build;
}

/** What the sources have and the build in use has not: it was built from others. */
export function staleBuildError(missing: string): NotBuiltError {
  return new NotBuiltError(
    `the native code in use has no ${missing}: it was built from older sources than this package's`,
  );
}

function load(): Addon {
  const { addon: path, ops, libtorch } = currentBuild();
  // Packs are of any length: memory that grows in place has no gaps that none of them fits. libtorch reads it once.
  if (libtorch.cuda && process.env.PYTORCH_ALLOC_CONF === undefined)
    process.env.PYTORCH_CUDA_ALLOC_CONF ??= "expandable_segments:True";
  let loaded: Addon;
  try {
    loaded = createRequire(import.meta.url)(path) as Addon;
  } catch (cause) {
    throw new NotBuiltError(`${path} does not load: ${(cause as Error).message}`, cause);
  }
  loaded.setErrorFactory(errorFromNative);
  // Debian's libtorch starts with one thread; whoever set OMP_NUM_THREADS meant it.
  if (process.env.OMP_NUM_THREADS === undefined) loaded.setThreads(availableParallelism());
  if (ops !== undefined) loaded.loadLibrary(ops);
  const missing = (_: object, key: string | symbol): never => {
    throw staleBuildError(String(key));
  };
  return Object.setPrototypeOf(loaded, new Proxy(Object.create(null), { get: missing }));
}

/**
 * The addon. It is loaded when something of it is first asked for, so that importing the package costs nothing and needs
 * no build; from then on this is the addon itself.
 */
export let addon: Addon = new Proxy(Object.create(null) as Addon, {
  get(_, key) {
    addon = load();
    return Reflect.get(addon, key);
  },
});
