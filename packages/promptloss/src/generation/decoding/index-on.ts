// Indexes for operators, sent to a device without waiting for it: a copy from ordinary memory would wait.
import { type Tensor, upload } from "@promptloss/torch";

/** Rows of a tensor, in their order; all of them are the tensor itself. */
export function rowsOf(of: Tensor, rows: readonly number[]): Tensor {
  return rows.length === of.shape[0] ? of : of.indexSelect(0, indexOn(rows, of.device));
}

/** [places] int64. */
export function indexOn(places: readonly number[], device: string): Tensor {
  return upload([Int32Array.from(places)], device)[0]!.long();
}
