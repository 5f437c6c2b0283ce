// A linear module's weight, frozen, as rows of blocks in few bits. It multiplies as it is; floats are made of it where
// somebody asks for them.
import {
  type BlockKind,
  blockLinear,
  type DType,
  expandBlocks,
  keep,
  noGrad,
  quantizeBlocks,
  scope,
  type Tensor,
  type WrittenBlockKind,
} from "@promptloss/torch";

export class BlockWeight {
  readonly kind: BlockKind;
  /** uint8, [outputs, bytes of a row]. */
  readonly blocks: Tensor;
  readonly inputs: number;
  /** Whether the model has the weight as [inputs, outputs], as GPT-2 does; the blocks are those of [outputs, inputs]. */
  readonly transposed: boolean;

  constructor(kind: BlockKind, blocks: Tensor, inputs: number, transposed: boolean) {
    this.kind = kind;
    this.blocks = blocks;
    this.inputs = inputs;
    this.transposed = transposed;
  }

  /** @param weight [outputs, inputs], or [inputs, outputs] where `transposed`; it stays the caller's */
  static quantize(kind: WrittenBlockKind, weight: Tensor, transposed: boolean): BlockWeight {
    return noGrad(() =>
      scope(() => {
        const rows = transposed ? weight.t() : weight;
        return new BlockWeight(kind, keep(quantizeBlocks(rows, kind)), rows.shape[1]!, transposed);
      }),
    );
  }

  /** As the model has the weight. */
  get shape(): readonly number[] {
    const sizes = [this.blocks.shape[0]!, this.inputs];
    return this.transposed ? sizes.reverse() : sizes;
  }

  /** Elements. */
  get numel(): number {
    return this.blocks.shape[0]! * this.inputs;
  }

  get bytes(): number {
    return this.blocks.numel;
  }

  get device(): string {
    return this.blocks.device;
  }

  /** All elements, in the model's layout. */
  expand(dtype: DType): Tensor {
    return noGrad(() =>
      scope(() => {
        const rows = expandBlocks(this.blocks, this.kind, this.inputs, dtype);
        return this.transposed ? rows.t().contiguous() : rows;
      }),
    );
  }

  /** x · weightᵀ + bias. */
  linear(x: Tensor, bias: Tensor | null): Tensor {
    return blockLinear(x, this.blocks, this.kind, bias);
  }

  free(): void {
    this.blocks.free();
  }
}
