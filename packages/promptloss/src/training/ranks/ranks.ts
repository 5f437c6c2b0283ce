// The processes that train one model together, as training uses them: each has a copy of the model and a share of every
// batch's rows. Sums over ranks are c10d's, so that all get the same bits and the copies stay equal.
import { fromTypedArray, noGrad, scope, type Tensor, zerosLike } from "@promptloss/torch";
import { ProcessGroup, type ProcessGroupOptions } from "@promptloss/torch/distributed";
import { TrainingError } from "../errors.ts";
import { shareOf } from "./share.ts";

/** Bytes of small gradients that travel as one. */
const TOGETHER = 32 << 20;

export class Ranks {
  readonly group: ProcessGroup;

  /** @throws {ProcessGroupError}, {DistributedUnavailableError} */
  constructor(options: ProcessGroupOptions) {
    this.group = ProcessGroup.join(options);
  }

  get rank(): number {
    return this.group.rank;
  }

  get size(): number {
    return this.group.size;
  }

  /** Whether this process logs and writes. */
  get isFirst(): boolean {
    return this.rank === 0;
  }

  /**
   * Checks that all ranks have prepared the same run.
   * @throws {TrainingError} on all of them where not
   */
  agreeOn({
    fingerprint,
    batches,
  }: {
    readonly fingerprint: string;
    readonly batches: { readonly steps: number };
  }): void {
    // Of the hash so many bits as a number holds.
    const own = [Number.parseInt(fingerprint.slice(0, 12), 16), batches.steps];
    const all = this.gather(own);
    const other = all.findIndex((each) => each.join() !== all[0]!.join());
    if (other > 0)
      throw new TrainingError(`rank ${other} has prepared another run than rank 0`, {
        hint: "are recipe, model and data the same on all machines?",
      });
  }

  /** This rank's part of a batch. */
  shareOf<Row extends { readonly length: number }>(rows: readonly Row[]): Row[] {
    const lengths = rows.map(({ length }) => length);
    return shareOf(lengths, this.rank, this.size).map((place) => rows[place]!);
  }

  /** Every rank's numbers, of which all give equally many. */
  gather(numbers: readonly number[]): number[][] {
    return scope(() => {
      const all = this.group.allGather(this.#tensor(Float64Array.from(numbers))).toTypedArray("float64");
      const { length } = numbers;
      return Array.from({ length: this.size }, (_, rank) => [
        ...all.subarray(rank * length, (rank + 1) * length),
      ]);
    });
  }

  /** The sums of all ranks' numbers, place by place and in the ranks' order. */
  sum(numbers: readonly number[]): number[] {
    const all = this.gather(numbers);
    return numbers.map((_, place) => all.reduce((sum, each) => sum + each[place]!, 0));
  }

  /** The sum, or the greatest, of all ranks' numbers. */
  reduced(number: number, reduction: "sum" | "max"): number {
    const all = this.gather([number]).flat();
    return reduction === "max" ? Math.max(...all) : all.reduce((sum, each) => sum + each, 0);
  }

  /** Whether any rank says so. */
  any(condition: boolean): boolean {
    return this.sum([condition ? 1 : 0])[0]! > 0;
  }

  /** Rank 0's number on all ranks. */
  firstOf(number: number): number {
    return this.gather([number])[0]![0]!;
  }

  /** Rank 0's text on all ranks; what the others give does not matter. */
  textOfFirst(text: string): string {
    return scope(() => {
      const own = new TextEncoder().encode(text);
      const length = this.firstOf(own.length);
      const bytes = this.#tensor(this.isFirst ? own : new Uint8Array(length));
      if (length > 0) this.group.broadcast_(bytes);
      return new TextDecoder().decode(bytes.toTypedArray("uint8"));
    });
  }

  /** Every rank's text. */
  texts(own: string): string[] {
    return scope(() => {
      const bytes = new TextEncoder().encode(own);
      const lengths = this.gather([bytes.length]).flat();
      const padded = new Uint8Array(Math.max(1, ...lengths));
      padded.set(bytes);
      return this.gatherBytes(this.#tensor(padded)).map((all, rank) =>
        new TextDecoder().decode(all.toTypedArray("uint8").subarray(0, lengths[rank])),
      );
    });
  }

  /**
   * Replaces every gradient by the sum of all ranks' own. A parameter that has none on this rank, whose share of the batch
   * may be empty, has one afterwards if it has one on any.
   */
  sumGradients(parameters: Iterable<Tensor>): void {
    noGrad(() => {
      const list = [...parameters];
      const has = this.sum(list.map((parameter) => (hasGradient(parameter) ? 1 : 0)));
      const there = list.filter((_, place) => has[place]! > 0);
      for (const parameter of there)
        if (!hasGradient(parameter)) scope(() => (parameter.grad = zerosLike(parameter)));
      for (const together of groupsOf(there)) {
        const gradients = together.map((parameter) => plainGradient(parameter));
        this.group.allReduce_(gradients);
        for (const gradient of gradients) gradient.free();
      }
    });
  }

  /** Replaces tensors by rank 0's. */
  takeFirst(tensors: Iterable<Tensor>): void {
    this.group.broadcast_([...tensors]);
  }

  /** Every rank's bytes, of one shape; on the CPU. The tensors are the caller's. */
  gatherBytes(bytes: Tensor): Tensor[] {
    return scope(() => {
      const all = this.group.allGather(bytes.to({ device: this.group.device })).to({ device: "cpu" });
      return Array.from({ length: this.size }, (_, rank) => all.select(0, rank).clone());
    });
  }

  /** Rank 0's tensors of bytes, of one shape, on all ranks; what the others give does not matter. The caller's. */
  tensorsOfFirst(tensors: readonly Tensor[]): Tensor[] {
    const count = this.firstOf(tensors.length);
    const length = this.firstOf(tensors[0]?.numel ?? 0);
    return Array.from({ length: count }, (_, place) =>
      scope(() => {
        const bytes = this.isFirst
          ? tensors[place]!.to({ device: this.group.device }).clone()
          : this.#tensor(new Uint8Array(length));
        this.group.broadcast_(bytes);
        return bytes.to({ device: "cpu" });
      }),
    );
  }

  /** Tells the others that this rank stops, and why. */
  leave(error: Error & { hint?: string | undefined }): void {
    this.group.leave(error.hint === undefined ? error.message : `${error.message} (${error.hint})`);
  }

  close(): void {
    this.group.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #tensor(values: Float64Array<ArrayBuffer> | Uint8Array<ArrayBuffer>): Tensor {
    return fromTypedArray(values, undefined, { device: this.group.device });
  }
}

function hasGradient(parameter: Tensor): boolean {
  using gradient = parameter.grad;
  return gradient !== null;
}

/** The gradient in one piece of memory, as it must travel; what lies otherwise is replaced by such a copy. */
function plainGradient(parameter: Tensor): Tensor {
  const gradient = parameter.grad!;
  if (gradient.isContiguous) return gradient;
  using copy = gradient.contiguous();
  gradient.free();
  parameter.grad = copy;
  return parameter.grad!;
}

/** Parameters whose gradients travel together: of one dtype, in order, so many that a copy of them stays small. */
function groupsOf(parameters: readonly Tensor[]): Tensor[][] {
  const groups: Tensor[][] = [];
  let [bytes, dtype] = [Number.POSITIVE_INFINITY, ""];
  for (const parameter of parameters) {
    const size = parameter.numel * (parameter.dtype === "float64" ? 8 : 4);
    if (bytes + size > TOGETHER || parameter.dtype !== dtype) {
      groups.push([]);
      [bytes, dtype] = [0, parameter.dtype];
    }
    groups.at(-1)!.push(parameter);
    bytes += size;
  }
  return groups;
}
