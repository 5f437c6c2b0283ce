// What the doctor knows about a machine, as plain data: what `--json` prints and what findings are drawn from.
// Nothing is looked up here.
import type { CurrentBuild, DistributedBuild } from "@promptloss/torch/setup";
import type { ProductDtype } from "../dtypes.ts";
import type { Processor } from "../machine/processor.ts";

export interface Facts {
  readonly node: string;
  /** Node's names, such as `linux x64`. */
  readonly platform: string;
  /** The build that set-up made last; undefined before the first set-up. */
  readonly libtorch: CurrentBuild["libtorch"] | undefined;
  /** Whether that libtorch takes float32 products from the reference BLAS. */
  readonly referenceBlas: boolean;
  /** The release that set-up would fetch. */
  readonly fetchableLibtorch: string;
  readonly native: NativeState;
  /** What processes that train together can reach each other by; empty, with the reason, where they can't. */
  readonly processGroups: Pick<DistributedBuild, "backends" | "reason">;
  readonly processor: Processor;
  readonly cores: {
    /** Cores that this process may run on. */
    readonly available: number;
    /** Processor time that a container may use, in cores; undefined where nothing limits it. */
    readonly limit: number | undefined;
  };
  /** Processes that were running or waiting for a core, on average over the minute before the probe. */
  readonly load: number;
  /** The value of OMP_NUM_THREADS; undefined where it is unset. */
  readonly ompNumThreads: string | undefined;
  /** In bytes. `total` is the container's limit where it has one. */
  readonly memory: { readonly total: number; readonly available: number };
  /** Where fetched things are kept, and the bytes free there. */
  readonly disk: { readonly folder: string; readonly free: number };
  /** Graphics processors that their driver names, whether or not libtorch can use them. */
  readonly gpus: readonly { readonly name: string; readonly memory: number }[];
}

/** What came of loading the native code and computing with it. */
export type NativeState =
  | ({ readonly works: true } & NativeReport)
  | { readonly works: false; readonly message: string; readonly hint: string | undefined };

export interface NativeReport {
  /** The version that the loaded libtorch states. */
  readonly version: string;
  readonly threads: number;
  /** `cpu` first. */
  readonly devices: readonly string[];
  readonly rates: readonly MatrixRate[];
}

/** How fast a device multiplies two square matrices. */
export interface MatrixRate {
  readonly device: string;
  readonly dtype: ProductDtype;
  /** Rows and columns of each matrix. */
  readonly size: number;
  /** 2·size³ divided by the median time. */
  readonly teraflops: number;
}
