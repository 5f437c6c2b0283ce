// Processes that work together, on libtorch's own c10d: Gloo between processors, NCCL between GPUs.
import { hostname } from "node:os";
import { operator } from "../dispatcher.ts";
import { TorchError } from "../errors.ts";
import { availableDevices } from "../runtime.ts";
import type { Tensor } from "../tensor.ts";
import { type Placement, placementOf } from "./environment.ts";
import { DistributedUnavailableError, ProcessGroupError, RankError } from "./errors.ts";
import { distributedBackends, loadDistributed } from "./library.ts";

const native = {
  open: operator<number>("promptloss_distributed::open_group"),
  allReduce: operator<void>("promptloss_distributed::all_reduce_"),
  broadcast: operator<void>("promptloss_distributed::broadcast_"),
  allGather: operator("promptloss_distributed::all_gather"),
  reduceScatter: operator("promptloss_distributed::reduce_scatter"),
  startAllGather: operator<number>("promptloss_distributed::start_all_gather"),
  startReduceScatter: operator<number>("promptloss_distributed::start_reduce_scatter_"),
  finish: operator<void>("promptloss_distributed::finish"),
  giveBack: operator<void>("promptloss_distributed::give_back_memory"),
  take: operator<void>("promptloss_distributed::take_memory"),
  barrier: operator<void>("promptloss_distributed::barrier"),
  failure: operator<string[]>("promptloss_distributed::failure"),
  leave: operator<void>("promptloss_distributed::leave"),
  close: operator<void>("promptloss_distributed::close_group"),
};

export type Backend = "gloo" | "nccl";

export type Reduction = "sum" | "max" | "min";

export interface ProcessGroupOptions {
  /** This process's place; what the environment says (`env://`) where left out. */
  readonly placement?: Placement;
  /** Where the tensors lie that travel; "cpu" where left out. It decides on the backend. */
  readonly device?: string;
  /** Seconds that an operation may take; 600 where left out. */
  readonly timeout?: number;
  /** Seconds that the ranks may take to come; as long as an operation where left out. */
  readonly meeting?: number;
}

/** An operation that goes on while the thread that began it computes. */
export interface PendingOperation {
  /** Returns at the operation's end. Call it once. @throws {ProcessGroupError} */
  wait(): void;
}

const DEFAULT_TIMEOUT = 600;

/**
 * A process's end of a group. All ranks make one, and call the same operations in the same order; each waits, on the
 * calling thread, until all have come. An operation that fails fails on all ranks within the time-out, and names the
 * rank at fault; the group is of no use then. Close it with `using` when all is done.
 */
export class ProcessGroup {
  readonly rank: number;
  readonly size: number;
  readonly placement: Placement;
  readonly backend: Backend;
  /** The device of the tensors that travel. */
  readonly device: string;
  /** Seconds. */
  readonly timeout: number;
  readonly #id: number;
  #isClosed = false;
  #waited = 0;

  private constructor(placement: Placement, device: string, timeout: number, meeting: number) {
    this.placement = placement;
    this.rank = placement.rank;
    this.size = placement.size;
    this.device = device;
    this.timeout = timeout;
    this.backend = device.startsWith("cuda") ? "nccl" : "gloo";
    const { address, port, storePrefix } = placement;
    const isHost = this.rank === 0 && storePrefix === "";
    const identity = `${hostname()}, process ${process.pid}`;
    this.#id = this.#call(NO_GROUP, () =>
      native.open(
        ...[this.backend, address, port, this.rank, this.size],
        ...[isHost, storePrefix, timeout, meeting, identity],
      ),
    );
  }

  /**
   * Joins the group; waits until all ranks have.
   * @throws {RankError} where neither `placement` nor the environment gives a place
   * @throws {DistributedUnavailableError} where the build in use has no such process groups
   * @throws {ProcessGroupError} naming the ranks that did not come in time
   */
  static join(options: ProcessGroupOptions = {}): ProcessGroup {
    const { placement = placementOf(process.env), device = "cpu", timeout = DEFAULT_TIMEOUT } = options;
    const { meeting = timeout } = options;
    if (placement === undefined)
      throw new RankError("no launcher gave this process a rank", {
        hint: "start it with torchrun or srun, or set RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT",
      });
    for (const seconds of [timeout, meeting])
      if (!(seconds >= 1 && seconds <= 86_400))
        throw new RankError(`a time-out of ${seconds} s is not between 1 s and a day`);
    loadDistributed();
    const isCuda = device.startsWith("cuda");
    if (isCuda && !availableDevices().includes(device))
      throw new RankError(`there is no ${device} here; there is ${availableDevices().join(", ")}`);
    if (isCuda && !distributedBackends().includes("nccl"))
      throw new DistributedUnavailableError("this build's process groups have no NCCL, for tensors on GPUs", {
        hint: "install NCCL's and CUDA's headers, name them with CUDA_HOME, and run `npx promptloss-torch setup`",
      });
    return new ProcessGroup(placement, device, timeout, meeting);
  }

  /**
   * Replaces each tensor by the sum (the greatest, the least) of all ranks' own; the same bits on all of them.
   * @param tensors of one dtype, contiguous, of the same shapes on all ranks
   */
  allReduce_(tensors: Tensor | readonly Tensor[], reduction: Reduction = "sum"): void {
    this.#call(this.#id, () => native.allReduce(listOf(tensors), reduction, this.#id));
  }

  /** Replaces each tensor by rank `root`'s. */
  broadcast_(tensors: Tensor | readonly Tensor[], root = 0): void {
    this.#call(this.#id, () => native.broadcast(listOf(tensors), root, this.#id));
  }

  /** All ranks' tensors of one shape, [size, …]. */
  allGather(tensor: Tensor): Tensor {
    return this.#call(this.#id, () => native.allGather(tensor, this.#id));
  }

  /** This rank's share of the sum of all ranks' tensors: of [size · n, …] rows rank · n to (rank + 1) · n. */
  reduceScatter(tensor: Tensor, reduction: Reduction = "sum"): Tensor {
    return this.#call(this.#id, () => native.reduceScatter(tensor, reduction, this.#id));
  }

  /**
   * Begins to gather all ranks' `own`, [n], into `into`, [size · n], while this thread computes. Until the end is waited
   * for, neither may be touched. Graphs that hold `into` take what it gets for what it had.
   * @param own a tensor of its own, or this rank's part of `into`
   */
  startAllGather(own: Tensor, into: Tensor): PendingOperation {
    return this.#pending(() => native.startAllGather(into, own, this.#id));
  }

  /**
   * Begins to sum all ranks' tensors, [size · n, …], while this thread computes. At the end this rank's part of `tensor`,
   * rows rank · n to (rank + 1) · n, has its part of the sum; what the others then have is not defined.
   */
  startReduceScatter_(tensor: Tensor, reduction: Reduction = "sum"): PendingOperation {
    return this.#pending(() => native.startReduceScatter(tensor, reduction, this.#id));
  }

  /** Returns when all ranks have called it. */
  barrier(): void {
    this.#call(this.#id, () => native.barrier(this.#id));
  }

  /** Milliseconds that this thread has spent in operations, and in waiting for those that were begun. */
  get waited(): number {
    return this.#waited;
  }

  /** Tells the others that this process stops before its time: what waits for it fails with this reason. */
  leave(reason: string): void {
    if (!this.#isClosed) native.leave(this.#id, reason);
  }

  /** Gives up the connections. The others must be done too: rank 0 keeps the store that all of them ask. */
  close(): void {
    if (!this.#isClosed) native.close(this.#id);
    this.#isClosed = true;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #pending(start: () => number): PendingOperation {
    const operation = this.#call(this.#id, start);
    return { wait: () => this.#call(this.#id, () => native.finish(operation, this.#id)) };
  }

  #call<T>(id: number, body: () => T): T {
    const began = performance.now();
    try {
      const result = body();
      this.#waited += performance.now() - began;
      return result;
    } catch (error) {
      if (!(error instanceof TorchError)) throw error;
      const [operation, ...peers] = native.failure(id);
      if (operation === undefined) throw error;
      const { rank } = this;
      throw new ProcessGroupError(
        error.message.replace(/^promptloss_distributed::\w+: /, ""),
        { rank, peers: peers.map(Number), operation },
        { hint: hintFor(operation) },
      );
    }
  }
}

/**
 * Gives back the memory of a tensor, and so that of all its views: those that a graph has recorded too. Nobody may read
 * any of them until {@link takeMemory}.
 * @param tensor contiguous, from the beginning of memory that libtorch allocated
 */
export function giveBackMemory(tensor: Tensor): void {
  loadDistributed();
  native.giveBack(tensor);
}

/** Memory for a tensor that has given its own back, and so for its views; what is in it is not defined. */
export function takeMemory(tensor: Tensor): void {
  native.take(tensor);
}

/** What the library calls a group that could not be opened. */
const NO_GROUP = -1;

function hintFor(operation: string): string {
  return operation === "init"
    ? "are all ranks started, with the same MASTER_ADDR and MASTER_PORT, which a firewall lets through?"
    : "the output of the rank that is named says more; start all ranks again";
}

function listOf(tensors: Tensor | readonly Tensor[]): readonly Tensor[] {
  return Array.isArray(tensors) ? tensors : [tensors as Tensor];
}
